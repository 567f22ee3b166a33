// inject.js POLICY POD - what Kyverno makes of POD by the patchStrategicMerge of POLICY's first rule:
// objects are merged, lists of them by name, and (name): "*" stands for each. Prints, for a shell,
// the first container's environment, its mounts as PATH:VOLUME, and what the init container runs.
const fs = require("fs");
const yaml = require("yaml");

function mergeList(have, patch) {
  const each = patch.filter((item) => item["(name)"] === "*").map(({ "(name)": name, ...rest }) => rest);
  const merged = have.map((item) => each.reduce(merge, item));
  for (const item of patch.filter((item) => !("(name)" in item))) {
    const at = merged.findIndex((other) => other.name === item.name);
    if (at < 0) merged.push(item);
    else merged[at] = merge(merged[at], item);
  }
  return merged;
}

function merge(have, patch) {
  if (Array.isArray(patch) && patch.every((item) => "name" in item || "(name)" in item))
    return mergeList(have || [], patch);
  if (patch === null || typeof patch !== "object" || Array.isArray(patch)) return patch;
  const merged = { ...have };
  for (const [key, value] of Object.entries(patch)) merged[key] = merge(merged[key], value);
  return merged;
}

const [policy, pod] = process.argv.slice(2).map((path) => yaml.parse(fs.readFileSync(path, "utf8")));
const made = merge(pod, policy.spec.rules[0].mutate.patchStrategicMerge);
new (require("kubernetes-models/v1").Pod)(made).validate();
const volumes = new Set(made.spec.volumes.map((volume) => volume.name));
for (const container of [...made.spec.containers, ...made.spec.initContainers]) {
  const missing = container.volumeMounts.filter((mount) => !volumes.has(mount.name));
  if (missing.length) throw new Error(`${container.name}: no volume ${missing[0].name}`);
}
for (const container of made.spec.containers)
  if (!container.env.some((variable) => variable.name === "LD_PRELOAD"))
    throw new Error(`${container.name}: not under the policy`);
const [container] = made.spec.containers, [init] = made.spec.initContainers;
console.log(`environment='${container.env.map((variable) => `${variable.name}=${variable.value}`).join(" ")}'`);
console.log(`mounts='${container.volumeMounts.map((mount) => `${mount.mountPath}:${mount.name}`).join(" ")}'`);
console.log(`init='${init.command.join(" ")}'`);
