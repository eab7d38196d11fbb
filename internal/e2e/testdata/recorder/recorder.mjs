// Records a site into a WARC file, as crawlers do that build on warcio (Webrecorder's):
// what comes over the wire, content codings and all, and revisits of what came
// before.
//
//	node recorder.mjs FILE ADDRESS…    the first is crawled by its links, the others are got
import fs from 'node:fs'
import http from 'node:http'
import zlib from 'node:zlib'
import { WARCRecord, WARCSerializer } from 'warcio'

const [name, ...addresses] = process.argv.slice(2)
const out = fs.createWriteStream(name)
const warcVersion = 'WARC/1.1'

async function write(record) {
  out.write(await WARCSerializer.serialize(record, { gzip: true, digest: { algo: 'sha-256', prefix: 'sha256:' } }))
}

const get = url => new Promise((done, failed) => {
  http.get(url, { headers: { 'Accept-Encoding': 'gzip', 'User-Agent': 'recorder' } }, res => {
    const parts = []
    res.on('data', part => parts.push(part))
    res.on('end', () => done({ res, body: Buffer.concat(parts) }))
    res.on('error', failed)
  }).on('error', failed)
})

function links(base, { res, body }) {
  if (!/html/.test(res.headers['content-type'] ?? '')) return []
  const page = (res.headers['content-encoding'] === 'gzip' ? zlib.gunzipSync(body) : body).toString()
  return [...page.matchAll(/href="([^"]+)"/g)].map(m => new URL(m[1].replaceAll('&amp;', '&'), base)).
    filter(url => url.host === new URL(base).host).map(url => { url.hash = ''; return url.href })
}

async function record(url, answer) {
  const date = new Date().toISOString()
  const httpHeaders = Object.fromEntries(
    Array.from({ length: answer.res.rawHeaders.length / 2 }, (_, i) => answer.res.rawHeaders.slice(2 * i, 2 * i + 2)))
  const statusline = `HTTP/1.1 ${answer.res.statusCode} ${answer.res.statusMessage}`
  async function* content() { if (answer.body.length > 0) yield answer.body }
  await write(await WARCRecord.create({ url, date, type: 'response', warcVersion, statusline, httpHeaders }, content()))
  async function* nothing() {}
  await write(await WARCRecord.create({
    url, date: new Date(Date.now() + 60_000).toISOString(), type: 'revisit', warcVersion, statusline, httpHeaders,
    refersToUrl: url, refersToDate: date,
    warcHeaders: { 'WARC-Payload-Digest': 'sha256:' + '0'.repeat(64) }, // the date is what tells
  }, nothing()))
}

await write(await WARCRecord.createWARCInfo({ filename: name, warcVersion }, { software: 'recorder, on warcio' }))
const met = new Set(addresses)
const queue = [addresses[0]]
while (queue.length > 0) {
  const url = queue.shift()
  const answer = await get(url)
  await record(url, answer)
  for (const link of links(url, answer)) {
    if (!met.has(link)) {
      met.add(link)
      queue.push(link)
    }
  }
}
for (const url of addresses.slice(1)) await record(url, await get(url))
out.end()
