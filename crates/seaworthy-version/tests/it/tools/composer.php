<?php
// Answers tab-separated pairs with composer/semver's comparator.
require 'Composer/Semver/autoload.php';

use Composer\Semver\Comparator;
use Composer\Semver\VersionParser;

$parser = new VersionParser();
$answers = [];
foreach (explode("\n", substr(stream_get_contents(STDIN), 0, -1)) as $line) {
    try {
        [$a, $b] = array_map([$parser, 'normalize'], explode("\t", $line));
    } catch (UnexpectedValueException $refused) {
        $answers[] = 'E';
        continue;
    }
    $answers[] = Comparator::lessThan($a, $b) ? '-1' : (Comparator::greaterThan($a, $b) ? '1' : '0');
}
echo implode("\n", $answers), "\n";
