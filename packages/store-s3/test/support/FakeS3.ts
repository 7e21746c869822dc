/**
 * An HTTP server that answers by script, for what no real server does on demand:
 * conflicts, lost answers, half bodies, ignored ranges.
 *
 * A test hands over one answer for each request that it expects, in order. The
 * server keeps what it was asked and counts connections; a request beyond the
 * script gets a 418, which no policy retries.
 */
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import * as Http from "node:http"
import type { AddressInfo } from "node:net"

export interface Asked {
  readonly method: string
  /** Without the query. */
  readonly path: string
  readonly query: URLSearchParams
  readonly headers: Http.IncomingHttpHeaders
  readonly body: Buffer
}

export type Answer = (response: Http.ServerResponse, asked: Asked) => void

export interface FakeS3 {
  readonly endpoint: string
  readonly asked: ReadonlyArray<Asked>
  readonly connections: { readonly opened: number; readonly open: number; readonly openMax: number }
}

export const make = (script: Iterable<Answer>): Effect.Effect<FakeS3, never, Scope.Scope> =>
  Effect.acquireRelease(
    Effect.callback<FakeS3 & { readonly close: Effect.Effect<void> }>((resume) => {
      const answers = script[Symbol.iterator]()
      const asked: Array<Asked> = []
      const connections = { opened: 0, open: 0, openMax: 0 }
      const server = Http.createServer((request, response) => {
        const parts: Array<Buffer> = []
        request.on("data", (part: Buffer) => parts.push(part))
        request.on("end", () => {
          const url = new URL(request.url ?? "", "http://fake")
          const one = {
            method: request.method ?? "",
            path: decodeURIComponent(url.pathname),
            query: url.searchParams,
            headers: request.headers,
            body: Buffer.concat(parts)
          }
          asked.push(one)
          const answer = answers.next()
          if (answer.done === true) status(418)(response, one)
          else answer.value(response, one)
        })
      })
      // So that a client which leaves connections open is seen to do so.
      server.keepAliveTimeout = 60_000
      server.on("connection", (socket) => {
        connections.opened++
        connections.openMax = Math.max(connections.openMax, ++connections.open)
        socket.on("close", () => connections.open--)
      })
      server.listen(0, "127.0.0.1", () => {
        const { port } = server.address() as AddressInfo
        const close = Effect.sync(() => {
          server.closeAllConnections()
          server.close()
        })
        resume(Effect.succeed({ endpoint: `http://127.0.0.1:${port}`, asked, connections, close }))
      })
    }),
    (fake) => fake.close
  )

/** An answer of this status, with no body or the one given. */
export const status =
  (code: number, headers: Http.OutgoingHttpHeaders = {}, body: string | Uint8Array = ""): Answer =>
  (response) => {
    response.writeHead(code, headers)
    response.end(body)
  }

/** An error as S3 words it. */
export const error = (code: number, name: string): Answer =>
  status(
    code,
    { "content-type": "application/xml" },
    `<Error><Code>${name}</Code><Message>as scripted</Message></Error>`
  )

/** The head of an object with this put id. */
export const headOf = (putId: string): Answer =>
  status(200, {
    "content-length": "3",
    "last-modified": "Mon, 23 Nov 2026 12:00:00 GMT",
    "x-amz-meta-slatedbputid": putId
  })

/** Cuts the connection instead of answering: what was asked may have happened. */
export const lost: Answer = (response) => response.socket?.destroy()

/** Never answers. */
export const silence: Answer = () => {}

/** Promises `length` bytes, sends these and stalls. */
export const half =
  (length: number, bytes: Uint8Array): Answer =>
  (response) => {
    response.writeHead(200, { "content-length": length })
    response.write(bytes)
  }

/** A page of a listing. */
export const page = (keys: ReadonlyArray<string>, next?: { readonly token: string | undefined }): Answer =>
  status(
    200,
    { "content-type": "application/xml" },
    `<ListBucketResult><Name>b</Name><IsTruncated>${next !== undefined}</IsTruncated>${
      next?.token === undefined ? "" : `<NextContinuationToken>${next.token}</NextContinuationToken>`
    }${keys
      .map(
        (key) =>
          `<Contents><Key>${key}</Key><Size>7</Size><LastModified>2026-11-23T12:00:00.000Z</LastModified></Contents>`
      )
      .join("")}</ListBucketResult>`
  )
