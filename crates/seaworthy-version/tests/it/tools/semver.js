// Answers tab-separated pairs with npm's strict parse and comparison.
const fs = require("fs");
const semver = require("semver");

const lines = fs.readFileSync(0, "utf8").split("\n").slice(0, -1);
const answers = lines.map((line) => {
  const [a, b] = line.split("\t").map((text) => semver.parse(text));
  return a && b ? String(semver.compare(a, b)) : "E";
});
fs.writeFileSync(1, answers.join("\n") + "\n");
