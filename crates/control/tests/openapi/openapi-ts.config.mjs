// The client in TypeScript, beside the program that runs a drop with it.
export default {
  input: "openapi.json",
  output: { path: "client", module: { extension: ".js" } },
};
