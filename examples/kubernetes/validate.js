// validate.js FILE... - each document against Kubernetes' schema, as the package kubernetes-models has
// it, or Kyverno's, as @kubernetes-models/kyverno.
const fs = require("fs");
const yaml = require("yaml");

for (const path of process.argv.slice(2))
  for (const document of yaml.parseAllDocuments(fs.readFileSync(path, "utf8"))) {
    const value = document.toJS();
    const from = value.apiVersion.startsWith("kyverno.io/") ? "@kubernetes-models/kyverno" : "kubernetes-models";
    const models = require(`${from}/${value.apiVersion}`);
    if (!(value.kind in models))
      throw new Error(`${path}: ${value.apiVersion} has no ${value.kind}`);
    try {
      new models[value.kind](value).validate();
    } catch (error) {
      console.log(`schema: ${path}: ${error.message}`);
      process.exitCode = 1;
    }
  }
if (!process.exitCode)
  console.log("schema: nothing wrong");
