# Answers tab-separated pairs with Gem::Version.
require "rubygems/version"

def version(text)
  # Ruby takes nothing for 0; a gem without a version has none for us.
  text.strip.empty? || !Gem::Version.correct?(text) ? nil : Gem::Version.new(text)
end

answers = $stdin.binmode.read.force_encoding("UTF-8").split("\n", -1)[0...-1].map do |line|
  a, b = line.split("\t", -1).map { |text| version(text) }
  a && b ? (a <=> b).to_s : "E"
end
puts answers
