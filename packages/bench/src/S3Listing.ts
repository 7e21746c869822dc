/**
 * The XML of the S3 simulator: listings, and the few other documents it answers
 * with.
 */

const keysPerPageMax = 1000

export interface StoredObject {
  readonly body: Buffer
  readonly etag: string
  readonly lastModified: Date
  /** The `x-amz-meta-` headers it was put with. */
  readonly metadata: Readonly<Record<string, string>>
}

/**
 * One page of a ListObjectsV2: keys in the order of their UTF-8 bytes, from
 * `start-after` or the continuation token on. Keys that share what stands before
 * the delimiter are rolled up into one common prefix.
 */
export const page = (objects: ReadonlyMap<string, StoredObject>, query: URLSearchParams): string => {
  const prefix = query.get("prefix") ?? ""
  const after = query.get("continuation-token") ?? query.get("start-after") ?? ""
  const delimiter = query.get("delimiter") ?? ""
  const limit = Math.min(Number(query.get("max-keys") ?? keysPerPageMax), keysPerPageMax)

  const entries = new Map<string, string>()
  let last = after
  let truncated = false
  for (const [key, bytes] of sortedKeys(objects, prefix)) {
    if (Buffer.compare(bytes, Buffer.from(after)) <= 0) continue
    const end = delimiter === "" ? -1 : key.indexOf(delimiter, prefix.length)
    const name = end < 0 ? key : key.slice(0, end + delimiter.length)
    if (!entries.has(name) && entries.size === limit) {
      truncated = true
      break
    }
    entries.set(name, end < 0 ? contents(key, objects.get(key) as StoredObject) : commonPrefix(name))
    last = key
  }
  return document(
    "ListBucketResult",
    `<Name>bench</Name><Prefix>${escape(prefix)}</Prefix><KeyCount>${entries.size}</KeyCount>` +
      `<MaxKeys>${limit}</MaxKeys><IsTruncated>${truncated}</IsTruncated>` +
      (truncated ? `<NextContinuationToken>${escape(last)}</NextContinuationToken>` : "") +
      [...entries.values()].join("")
  )
}

export const uploadBegun = (key: string, id: string): string =>
  document("InitiateMultipartUploadResult", `<Bucket>bench</Bucket><Key>${escape(key)}</Key><UploadId>${id}</UploadId>`)

export const uploadDone = (key: string, etag: string): string =>
  document(
    "CompleteMultipartUploadResult",
    `<Bucket>bench</Bucket><Key>${escape(key)}</Key><ETag>${escape(etag)}</ETag>`
  )

export const deleted = (keys: ReadonlyArray<string>): string =>
  document("DeleteResult", keys.map((key) => `<Deleted><Key>${escape(key)}</Key></Deleted>`).join(""))

/** The keys that a request to delete many objects names. */
export const keysOf = (body: string): ReadonlyArray<string> =>
  [...body.matchAll(/<Key>([^<]*)<\/Key>/g)].map(([, key = ""]) => unescape(key))

export const error = (code: string, message: string): string =>
  `<?xml version="1.0" encoding="UTF-8"?><Error><Code>${code}</Code><Message>${escape(message)}</Message></Error>`

const sortedKeys = (objects: ReadonlyMap<string, StoredObject>, prefix: string) =>
  [...objects.keys()]
    .filter((key) => key.startsWith(prefix))
    .map((key) => [key, Buffer.from(key)] as const)
    .toSorted(([, a], [, b]) => Buffer.compare(a, b))

const contents = (key: string, { body, etag, lastModified }: StoredObject): string =>
  `<Contents><Key>${escape(key)}</Key><LastModified>${lastModified.toISOString()}</LastModified>` +
  `<ETag>${escape(etag)}</ETag><Size>${body.length}</Size><StorageClass>STANDARD</StorageClass></Contents>`

const commonPrefix = (prefix: string): string => `<CommonPrefixes><Prefix>${escape(prefix)}</Prefix></CommonPrefixes>`

const document = (root: string, inner: string): string =>
  `<?xml version="1.0" encoding="UTF-8"?><${root} xmlns="http://s3.amazonaws.com/doc/2006-03-01/">${inner}</${root}>`

const escape = (text: string): string =>
  text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll('"', "&quot;")

const unescape = (text: string): string =>
  text.replaceAll("&lt;", "<").replaceAll("&gt;", ">").replaceAll("&quot;", '"').replaceAll("&amp;", "&")
