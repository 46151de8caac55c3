// The messages of the protocol as types of another language, from docs/asyncapi.json.
//
//   node generate_models.mjs ASYNCAPI_JSON FILE...
//
// The end of each file's name says its language. TypeScript (`.ts`) and Kotlin (`.kt`) need the package
// `@asyncapi/modelina`; there each field is called as on the wire, so that any JSON library reads it without a table.
// All others need the package `quicktype-core`, whose types read and write the names on the wire themselves. Java wants a
// file for each class, so for `.java` they are written into the folder of FILE.

import { readFileSync, writeFileSync } from 'node:fs';
import { dirname, extname, join } from 'node:path';

/** The makers of AsyncAPI's own generator. */
const MODELINA = { '.ts': typescript, '.kt': kotlin };
/** What quicktype calls the languages that it makes. Objective-C is not among them: quicktype fails with it here. */
const QUICKTYPE = {
  '.cpp': 'c++',
  '.cr': 'crystal',
  '.cs': 'csharp',
  '.dart': 'dart',
  '.elm': 'elm',
  '.ex': 'elixir',
  '.go': 'go',
  '.h': 'cjson',
  '.hs': 'haskell',
  '.java': 'java',
  '.js': 'javascript',
  '.php': 'php',
  '.pmod': 'pike',
  '.py': 'python',
  '.rb': 'ruby',
  '.rs': 'rust',
  '.scala': 'scala3',
  '.smithy': 'smithy4a',
  '.swift': 'swift',
};

const [description, ...files] = process.argv.slice(2);
const endings = Object.keys({ ...MODELINA, ...QUICKTYPE });
if (files.length === 0 || !files.every((file) => endings.includes(extname(file)))) {
  console.error('usage: node generate_models.mjs ASYNCAPI_JSON FILE...');
  console.error(`A FILE ends in one of: ${endings.join(' ')}`);
  process.exit(2);
}
const text = readFileSync(description, 'utf8');
let described;
for (const file of files) {
  const ending = extname(file);
  const make = MODELINA[ending];
  if (make) writeFileSync(file, await make());
  else await quicktype(file, QUICKTYPE[ending]);
}

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

/** Writes what quicktype makes: one file, or one for each class beside `file`. */
async function quicktype(file, lang) {
  const { FetchingJSONSchemaStore, InputData, JSONSchemaInput, quicktypeMultiFile } = await import('quicktype-core');
  const schemas = new JSONSchemaInput(new FetchingJSONSchemaStore());
  await schemas.addSource({ name: 'Stampede', schema: text, uris: ['#/components/schemas/'] });
  const inputData = new InputData();
  inputData.addInput(schemas);
  const made = await quicktypeMultiFile({ inputData, lang });
  for (const [name, { lines }] of made) {
    writeFileSync(made.size === 1 ? file : join(dirname(file), name), lines.join('\n'));
  }
}
