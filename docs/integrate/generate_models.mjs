// The messages of the protocol as types of another language, from docs/asyncapi.json.
//
//   node generate_models.mjs ASYNCAPI_JSON FILE...
//
// Each file's name says its language: `.ts`, `.kt` or `.swift`. It needs the packages `@asyncapi/modelina` (for TypeScript and Kotlin) and `quicktype-core` (for Swift).
// Names are those on the wire, so that any JSON library reads them without a table.

import { readFileSync, writeFileSync } from 'node:fs';
import { extname } from 'node:path';

const [description, ...files] = process.argv.slice(2);
const languages = { '.ts': typescript, '.kt': kotlin, '.swift': swift };
if (files.length === 0 || !files.every((file) => Object.hasOwn(languages, extname(file)))) {
  console.error('usage: node generate_models.mjs ASYNCAPI_JSON FILE.ts|FILE.kt|FILE.swift ...');
  process.exit(2);
}
const text = readFileSync(description, 'utf8');
let described;
for (const file of files) writeFileSync(file, await languages[extname(file)]());

/** The code of each model, by AsyncAPI's own generator. */
async function models(makeGenerator) {
  const { default: modelina } = await import('@asyncapi/modelina');
  // A later server may add fields; a model without a place for them skips them, as it should.
  const processorOptions = { interpreter: { ignoreAdditionalProperties: true } };
  described ??= await modelina.InputProcessor.processor.process(JSON.parse(text), processorOptions);
  const made = await makeGenerator(modelina, { processorOptions }).generate(described);
  return made.map(({ result }) => result).filter((code) => code !== '');
}

async function typescript() {
  const types = { modelType: 'interface', enumType: 'union', rawPropertyNames: true };
  const code = await models(({ TypeScriptGenerator }, options) => new TypeScriptGenerator({ ...options, ...types }));
  return code.map((one) => `export ${one}\n`).join('\n');
}

async function kotlin() {
  const constraints = {
    propertyKey: ({ objectPropertyModel }) => objectPropertyModel.propertyName,
    enumKey: ({ enumKey }) => enumKey,
  };
  const code = await models(({ KotlinGenerator, KOTLIN_DESCRIPTION_PRESET }, options) =>
    new KotlinGenerator({ ...options, constraints, presets: [KOTLIN_DESCRIPTION_PRESET] }));
  return `package stampede\n\n${code.join('\n\n')}\n`;
}

async function swift() {
  const { FetchingJSONSchemaStore, InputData, JSONSchemaInput, quicktype } = await import('quicktype-core');
  const schemas = new JSONSchemaInput(new FetchingJSONSchemaStore());
  await schemas.addSource({ name: 'Stampede', schema: text, uris: ['#/components/schemas/'] });
  const inputData = new InputData();
  inputData.addInput(schemas);
  const { lines } = await quicktype({ inputData, lang: 'swift' });
  return lines.join('\n');
}
