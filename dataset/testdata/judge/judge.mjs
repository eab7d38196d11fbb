// Reads what finarc exported with programs that know nothing of finarc, and prints
// each row as a line of JSON, with times as milliseconds since 1970.
//
//	node judge.mjs parquet FILE
//	node judge.mjs package FOLDER   validates the descriptor, and reads CSV by it
import datapackage from 'datapackage'
import { asyncBufferFromFile, parquetMetadataAsync, parquetReadObjects } from 'hyparquet'
import { compressors } from 'hyparquet-compressors'
import path from 'node:path'

const plain = (key, value) => typeof value === 'bigint' ? Number(value) : value

function print(rows) {
  for (const row of rows) {
    for (const [name, value] of Object.entries(row)) {
      if (value instanceof Date) row[name] = value.getTime()
    }
    console.log(JSON.stringify(row, plain))
  }
}

async function readParquet(name) {
  const file = await asyncBufferFromFile(name)
  const metadata = await parquetMetadataAsync(file)
  if (!metadata.key_value_metadata?.some(kv => kv.key === 'frictionless.schema')) throw new Error('no schema in the metadata')
  print(await parquetReadObjects({ file, metadata, compressors }))
}

async function readPackage(folder) {
  const descriptor = path.join(folder, 'datapackage.json')
  const p = await datapackage.Package.load(descriptor, { strict: true })
  if (!p.valid) throw new Error(p.errors.join('\n'))
  for (const resource of p.resources) {
    if (resource.tabular) print(await resource.read({ keyed: true, cast: true }))
  }
}

const [what, name] = process.argv.slice(2)
await { parquet: readParquet, package: readPackage }[what](name)
