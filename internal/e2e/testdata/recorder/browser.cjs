// Records a site into a WARC file as a crawler does that drives a browser: what
// Chromium got is told by its DevTools and written by node-warc, as by Squidwarc.
//
//	node browser.cjs CHROMIUM FILE ADDRESS…    the first is crawled by its links, the others are got
const { spawn } = require('node:child_process')
const fs = require('node:fs')
const os = require('node:os')
const path = require('node:path')
const connect = require('chrome-remote-interface')
const { RemoteChromeCapturer, RemoteChromeWARCWriter } = require('node-warc')

const [chromium, file, ...addresses] = process.argv.slice(2)

// start starts the browser and returns it and the port that it listens on.
async function start(profile) {
  const browser = spawn(chromium, ['--headless=new', '--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage',
    '--remote-debugging-port=0', `--user-data-dir=${profile}`, 'about:blank'], { stdio: ['ignore', 'ignore', 'pipe'] })
  const port = await new Promise((found, failed) => {
    let said = ''
    browser.stderr.on('data', part => {
      said += part
      const m = said.match(/DevTools listening on ws:\/\/[^:]+:(\d+)\//)
      if (m) found(Number(m[1]))
    })
    browser.on('exit', code => failed(new Error(`chromium ended with ${code}: ${said}`)))
  })
  return { browser, port }
}

// links returns where the links of the shown page lead, on its own host.
async function links(runtime) {
  const { result } = await runtime.evaluate({
    returnByValue: true,
    expression: '[...document.links].filter(a => a.host === location.host).map(a => a.href.replace(/#.*/, ""))',
  })
  return result.value ?? []
}

async function main() {
  const profile = fs.mkdtempSync(path.join(os.tmpdir(), 'recorder-'))
  const { browser, port } = await start(profile)
  const client = await connect({ port })
  const { Network, Page, Runtime } = client
  await Promise.all([Network.enable(), Page.enable()])
  const capturer = new RemoteChromeCapturer(Network)
  const writer = new RemoteChromeWARCWriter()
  const info = { software: 'recorder, on node-warc' }
  const met = new Set(addresses), queue = [addresses[0]], rest = addresses.slice(1)
  for (let first = true; queue.length + rest.length > 0; first = false) {
    const url = queue.length > 0 ? queue.shift() : rest.shift()
    capturer.startCapturing()
    const loaded = Page.loadEventFired()
    await Page.navigate({ url })
    await loaded
    capturer.stopCapturing()
    await writer.generateWARC(capturer, Network, {
      warcOpts: { warcPath: file, appending: !first, gzip: true }, winfo: first ? info : null,
    })
    for (const link of await links(Runtime)) {
      if (!met.has(link)) {
        met.add(link)
        queue.push(link)
      }
    }
  }
  await client.close()
  const gone = new Promise(done => browser.on('exit', done))
  browser.kill()
  await gone
  fs.rmSync(profile, { recursive: true, force: true, maxRetries: 5 })
}

main().catch(err => {
  console.error(err)
  process.exit(1)
})
