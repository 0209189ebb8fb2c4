// A proxy in front of two servers: the app comes from one of them, and what the app
// says goes to the other, as while an upgrade is on its way.
import { once } from 'node:events'
import { createServer, request } from 'node:http'
import { connect } from 'node:net'

export class Front {
  /** `app` and `api` are servers; both may be changed later. */
  static async start(app, api) {
    const front = new Front()
    Object.assign(front, { app, api })
    front.server = createServer((from, to) => front.pass(from, to))
    front.server.on('upgrade', (from, socket, head) => front.socket(from, socket, head))
    front.server.listen(0, '127.0.0.1')
    await once(front.server, 'listening')
    front.url = `http://127.0.0.1:${front.server.address().port}`
    return front
  }

  /** Which server a request is for. */
  port(url) {
    return (url.startsWith('/api/') ? this.api : this.app).port
  }

  /** Makes another build of the app from the one that there is: of the same files, under another name. */
  rename(build, name) {
    this.renamed = [build, name]
  }

  // The host stays that of the front: cookies and the check of the origin go by it.
  pass(from, to) {
    const onward = request({ host: '127.0.0.1', port: this.port(from.url), method: from.method, path: from.url, headers: from.headers }, (answer) => {
      if (this.renamed && this.port(from.url) === this.app.port) return void this.rewrite(answer, to)
      to.writeHead(answer.statusCode, answer.rawHeaders)
      answer.pipe(to)
    })
    if (this.renamed) for (const name of ['accept-encoding', 'if-none-match', 'range']) onward.removeHeader(name)
    onward.on('error', () => to.destroy())
    from.pipe(onward)
  }

  async rewrite(answer, to) {
    const other = (text) => text.replaceAll(...this.renamed)
    const content = Buffer.concat(await answer.toArray())
    const texts = /html|javascript|text\/plain/.test(answer.headers['content-type'])
    const { etag: _, 'content-length': __, ...headers } = answer.headers
    to.writeHead(answer.statusCode, Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, other(String(value))])))
    to.end(texts ? other(content.toString()) : content)
  }

  socket(from, socket, head) {
    const onward = connect(this.port(from.url), '127.0.0.1')
    const headers = from.rawHeaders.map((text, i) => text + (i % 2 ? '\r\n' : ': ')).join('')
    onward.write(`${from.method} ${from.url} HTTP/1.1\r\n${headers}\r\n`)
    onward.write(head)
    socket.pipe(onward).pipe(socket)
    for (const end of [socket, onward]) {
      end.on('error', () => {})
      end.on('close', () => (end === socket ? onward : socket).destroy())
    }
  }

  async stop() {
    this.server.closeAllConnections()
    this.server.close()
    await once(this.server, 'close')
  }
}
