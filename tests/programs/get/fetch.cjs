// fetch.cjs HOST PORT - Node's fetch, whose settings come from the environment.
"use strict";
const [host, port] = process.argv.slice(2);
fetch(`https://${host}:${port}/hello`, { signal: AbortSignal.timeout(60000) })
  .then((response) => response.text())
  .then((text) => process.stdout.write(text))
  .catch((error) => {
    console.error(`${error.cause?.code ?? ""} ${error.cause?.message ?? error.message}`);
    process.exitCode = 1;
  });
