/**
 * An S3 compatible server that keeps its objects in memory, adds latency, and counts
 * every request: the bill of an engine, and its behaviour on a slow store, measured
 * on one machine.
 *
 * It speaks what object stores of databases use: PUT (`If-None-Match: *`,
 * `If-Match`), GET with ranges, HEAD, DELETE of one and of many, ListObjectsV2
 * with pages, multipart uploads, user metadata. It does not authenticate, has no
 * buckets (the first segment of a path names one, whichever it is), and forgets
 * everything when it ends. It is not a test of S3 behaviour: real servers are.
 *
 * `/__stats` gives the counts since the last `/__reset`;
 * `/__latency?put=15&get=15` changes the latency.
 */
import { createHash } from "node:crypto"
import type { IncomingMessage, Server, ServerResponse } from "node:http"
import { createServer } from "node:http"
import { once } from "node:events"
import type { AddressInfo } from "node:net"
import { setTimeout as sleep } from "node:timers/promises"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import * as ObjectKind from "./ObjectKind.ts"
import * as S3Listing from "./S3Listing.ts"
import type { StoredObject } from "./S3Listing.ts"

export interface Options {
  /** 0 lets the system choose. */
  readonly port: number
  /** Added to each request that writes. */
  readonly putMillis: number
  /** Added to each request that reads or lists. */
  readonly getMillis: number
}

/** Requests and their bytes by operation and kind of object, for example `PUT wal`. */
export type Stats = Readonly<Record<string, { readonly count: number; readonly bytes: number }>>

/** What the server keeps. Keys are without the bucket. */
interface Bucket {
  readonly objects: Map<string, StoredObject>
  readonly uploads: Map<string, Map<number, Buffer>>
  stats: Record<string, { count: number; bytes: number }>
  /** Makes etags and upload ids unique. */
  serial: number
  putMillis: number
  getMillis: number
}

/** Starts a server for as long as the scope lives, and gives its address. */
export const start = (options: Options): Effect.Effect<string, never, Scope.Scope> =>
  Effect.map(
    Effect.acquireRelease(
      Effect.promise(() => listen(options)),
      (server) =>
        Effect.promise(async () => {
          server.closeAllConnections()
          server.close()
          await once(server, "close")
        })
    ),
    (server) => `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  )

const listen = async ({ getMillis, port, putMillis }: Options): Promise<Server> => {
  const bucket: Bucket = { objects: new Map(), uploads: new Map(), stats: {}, serial: 0, putMillis, getMillis }
  const server = createServer((request, response) => {
    void answer(bucket, request, response).catch((cause) => {
      refuse(response, 500, "InternalError", String(cause))
    })
  })
  server.listen(port, "127.0.0.1")
  await once(server, "listening")
  return server
}

const answer = async (bucket: Bucket, request: IncomingMessage, response: ServerResponse): Promise<void> => {
  const url = new URL(request.url ?? "/", "http://localhost")
  if (url.pathname.startsWith("/__")) return control(bucket, url, response)
  const key = decodeURIComponent(url.pathname).split("/").slice(2).join("/")
  switch (request.method) {
    case "PUT": {
      const body = await bodyOf(request)
      if (body === undefined) return refuse(response, 501, "NotImplemented", "chunked upload encoding is not supported")
      await delay(bucket.putMillis)
      return url.searchParams.has("partNumber")
        ? putPart(bucket, key, url.searchParams, body, response)
        : put(bucket, key, body, request, response)
    }
    case "POST": {
      const body = await bodyOf(request)
      await delay(bucket.putMillis)
      return post(bucket, key, url.searchParams, body ?? Buffer.alloc(0), response)
    }
    case "DELETE":
      await delay(bucket.getMillis)
      note(bucket, "DELETE", key, 0)
      bucket.objects.delete(key)
      response.writeHead(204).end()
      return
    default:
      await delay(bucket.getMillis)
      return url.searchParams.get("list-type") === "2"
        ? list(bucket, url.searchParams, response)
        : read(bucket, key, request, response)
  }
}

/** No latency means none: a timer of zero takes a millisecond. */
const delay = (millis: number): Promise<void> | undefined => (millis > 0 ? sleep(millis) : undefined)

const control = (bucket: Bucket, { pathname, searchParams }: URL, response: ServerResponse): void => {
  const millis = (name: string, current: number) => Number(searchParams.get(name) ?? current)
  switch (pathname) {
    case "/__stats":
      response.end(JSON.stringify(bucket.stats))
      return
    case "/__reset":
      bucket.stats = {}
      response.end("ok")
      return
    case "/__latency":
      bucket.putMillis = millis("put", bucket.putMillis)
      bucket.getMillis = millis("get", bucket.getMillis)
      response.end("ok")
      return
    default:
      response.writeHead(404).end()
  }
}

const put = (
  bucket: Bucket,
  key: string,
  body: Buffer,
  { headers }: IncomingMessage,
  response: ServerResponse
): void => {
  note(bucket, "PUT", key, body.length)
  const current = bucket.objects.get(key)
  const expected = headers["if-match"]
  const lost =
    (headers["if-none-match"] === "*" && current !== undefined) ||
    (expected !== undefined && current?.etag !== expected)
  if (lost) return refuse(response, 412, "PreconditionFailed")
  const metadata = Object.fromEntries(
    Object.entries(headers).flatMap(([name, value]) =>
      name.startsWith("x-amz-meta-") && typeof value === "string" ? [[name, value]] : []
    )
  )
  response.writeHead(200, { etag: store(bucket, key, body, metadata) }).end()
}

const putPart = (bucket: Bucket, key: string, query: URLSearchParams, body: Buffer, response: ServerResponse): void => {
  const parts = bucket.uploads.get(query.get("uploadId") ?? "")
  if (parts === undefined) return refuse(response, 404, "NoSuchUpload")
  note(bucket, "PUTPART", key, body.length)
  parts.set(Number(query.get("partNumber")), body)
  response.writeHead(200, { etag: etag(bucket, body) }).end()
}

const post = (bucket: Bucket, key: string, query: URLSearchParams, body: Buffer, response: ServerResponse): void => {
  if (query.has("uploads")) {
    const id = `upload-${++bucket.serial}`
    bucket.uploads.set(id, new Map())
    note(bucket, "MPINIT", key, 0)
    return xml(response, 200, S3Listing.uploadBegun(key, id))
  }
  const id = query.get("uploadId")
  const parts = id === null ? undefined : bucket.uploads.get(id)
  if (id !== null && parts !== undefined) {
    const whole = Buffer.concat([...parts].toSorted(([a], [b]) => a - b).map(([, part]) => part))
    bucket.uploads.delete(id)
    note(bucket, "MPDONE", key, whole.length)
    return xml(response, 200, S3Listing.uploadDone(key, store(bucket, key, whole, {})))
  }
  if (query.has("delete")) {
    const keys = S3Listing.keysOf(body.toString("utf8"))
    for (const each of keys) {
      note(bucket, "DELETE", each, 0)
      bucket.objects.delete(each)
    }
    return xml(response, 200, S3Listing.deleted(keys))
  }
  refuse(response, 404, "NoSuchUpload")
}

const list = (bucket: Bucket, query: URLSearchParams, response: ServerResponse): void => {
  note(bucket, "LIST", query.get("prefix") ?? "", 0)
  xml(response, 200, S3Listing.page(bucket.objects, query))
}

const read = (bucket: Bucket, key: string, { headers, method }: IncomingMessage, response: ServerResponse): void => {
  const operation = method === "HEAD" ? "HEAD" : "GET"
  const object = bucket.objects.get(key)
  if (object === undefined) {
    note(bucket, `${operation}404`, key, 0)
    return refuse(response, 404, "NoSuchKey")
  }
  const { body, etag, lastModified, metadata } = object
  const described = { ...metadata, etag, "last-modified": lastModified.toUTCString(), "accept-ranges": "bytes" }
  if (operation === "HEAD") {
    note(bucket, operation, key, 0)
    response.writeHead(200, { ...described, "content-length": body.length }).end()
    return
  }
  const range = rangeOf(headers.range, body.length)
  if (range === "unsatisfiable") return refuse(response, 416, "InvalidRange")
  const part = range === undefined ? body : body.subarray(range.first, range.last + 1)
  note(bucket, operation, key, part.length)
  response.writeHead(range === undefined ? 200 : 206, {
    ...described,
    "content-length": part.length,
    ...(range === undefined ? {} : { "content-range": `bytes ${range.first}-${range.last}/${body.length}` })
  })
  response.end(part)
}

/** The bytes that a `Range` header asks for; `undefined`: all. */
const rangeOf = (header: string | undefined, size: number) => {
  const found = /^bytes=(\d*)-(\d*)$/.exec(header ?? "")
  if (found === null) return undefined
  const [, from = "", to = ""] = found
  const first = from === "" ? Math.max(0, size - Number(to)) : Number(from)
  const last = from === "" || to === "" ? size - 1 : Math.min(size - 1, Number(to))
  return first > last ? "unsatisfiable" : { first, last }
}

const store = (bucket: Bucket, key: string, body: Buffer, metadata: StoredObject["metadata"]): string => {
  const tag = etag(bucket, body)
  bucket.objects.set(key, { body, etag: tag, lastModified: new Date(), metadata })
  return tag
}

/** Different for every put, also of the same bytes; hashing the beginning is enough for that. */
const etag = (bucket: Bucket, body: Buffer): string =>
  `"${createHash("md5")
    .update(body.subarray(0, 65_536))
    .update(`${body.length}:${++bucket.serial}`)
    .digest("hex")}"`

const note = (bucket: Bucket, operation: string, key: string, bytes: number): void => {
  const stat = (bucket.stats[`${operation} ${ObjectKind.of(key)}`] ??= { count: 0, bytes: 0 })
  stat.count++
  stat.bytes += bytes
}

/** `undefined` when the body is in an encoding that would have to be undone first. */
const bodyOf = async (request: IncomingMessage): Promise<Buffer | undefined> => {
  const chunks: Array<Buffer> = []
  for await (const chunk of request) chunks.push(chunk)
  if (request.headers["content-encoding"]?.includes("aws-chunked") === true) return undefined
  return chunks.length === 1 ? chunks[0] : Buffer.concat(chunks)
}

const refuse = (response: ServerResponse, status: number, code: string, message = ""): void =>
  xml(response, status, S3Listing.error(code, message))

const xml = (response: ServerResponse, status: number, document: string): void => {
  response.writeHead(status, { "content-type": "application/xml" })
  response.end(document)
}
