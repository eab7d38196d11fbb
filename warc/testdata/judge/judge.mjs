// Reads what finarc exported with warcio, which knows nothing of finarc.
//
//	node judge.mjs records FILE   each record as a line of JSON: what it says of
//	                              itself, and the digests that warcio finds
//	node judge.mjs surt           the keys of addresses, a JSON list on standard input
import { createReadStream, readFileSync } from 'node:fs'
import { getSurt, WARCParser, WARCSerializer } from 'warcio'

// digests returns the digests that a file's records have after warcio computed them
// anew: of blocks as they are, and of payloads where it takes the blocks apart.
async function digests(file, parseHttp, name) {
  const list = []
  for await (const record of new WARCParser(createReadStream(file), { keepHeadersCase: true, parseHttp })) {
    const field = name => record.warcHeader(name)
    const said = {
      type: record.warcType, id: field('WARC-Record-ID'), uri: record.warcTargetURI ?? '', date: record.warcDate,
      status: String(record.httpHeaders?.statusCode ?? ''), said: field(name) ?? '',
    }
    await new WARCSerializer(record).digestRecord({ recompute: true })
    list.push({ ...said, found: record.warcHeader(name) ?? '' })
  }
  return list
}

async function records(file) {
  const blocks = await digests(file, false, 'WARC-Block-Digest')
  const payloads = await digests(file, true, 'WARC-Payload-Digest')
  if (blocks.length !== payloads.length) throw new Error(`${blocks.length} and ${payloads.length} records`)
  blocks.forEach(({ said, found }, i) => {
    console.log(JSON.stringify({ ...payloads[i], blockSaid: said, blockFound: found }))
  })
}

function surts() {
  for (const address of JSON.parse(readFileSync(0, 'utf8'))) console.log(JSON.stringify(getSurt(address)))
}

const [what, name] = process.argv.slice(2)
await { records, surt: surts }[what](name)
