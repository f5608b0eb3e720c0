// Validates a HAR by the published JSON schema of the format (npm's har-validator).
"use strict";

const { readFileSync } = require("node:fs");
const { har } = require("har-validator");

har(JSON.parse(readFileSync(process.argv[2], "utf8"))).catch((error) => {
  console.error(error.errors ?? error);
  process.exitCode = 1;
});
