/**
 * What went wrong with one S3 request, as a reason the engine can act on.
 *
 * The SDK throws four kinds of things: what the server answered (with a status,
 * and a code where the answer had a body), what the network did (with a Node.js
 * code), what it could not find out before it asked (credentials, region), and
 * what it refuses to send. The reason follows from the kind, the status and the
 * code; the caller sees the sentence, the status and the code, and the SDK's
 * error as the cause.
 *
 * What is not understood is `Unavailable`: a request whose outcome is unknown
 * may always be repeated, because creates carry put ids.
 */
import * as ObjectStore from "@effect-slatedb/core/ObjectStore"
import * as Predicate from "effect/Predicate"

/** Which request failed. */
export interface Request {
  readonly operation: ObjectStore.Operation
  readonly path: string
}

/** Translates what the SDK threw. */
export const fromCause = (request: Request, cause: unknown): ObjectStore.ObjectStoreError => {
  const answer = read(cause)
  const [Reason, hint] =
    answer.status === undefined ? withoutAnswer(answer) : withStatus(answer.status, answer, request)
  return ObjectStore.fail(new Reason({ ...request, detail: describe(hint, answer), cause }))
}

/** The server answered with success, but not with what S3 answers. */
export const malformed = (request: Request, detail: string): ObjectStore.ObjectStoreError =>
  ObjectStore.fail(new ObjectStore.Unavailable({ ...request, detail }))

/** The request was not sent, because it makes no sense. */
export const invalid = (request: Request, detail: string): ObjectStore.ObjectStoreError =>
  ObjectStore.fail(new ObjectStore.Invalid({ ...request, detail }))

/** The server does not do what S3 does. */
export const unsupported = (request: Request, detail: string): ObjectStore.ObjectStoreError =>
  ObjectStore.fail(new ObjectStore.Unsupported({ ...request, detail }))

type ReasonClass =
  | typeof ObjectStore.NotFound
  | typeof ObjectStore.AlreadyExists
  | typeof ObjectStore.Unavailable
  | typeof ObjectStore.Denied
  | typeof ObjectStore.Invalid
  | typeof ObjectStore.Unsupported

type Verdict = readonly [ReasonClass, hint?: string | undefined]

interface Answer {
  /** HTTP status, when there was an answer. */
  readonly status: number | undefined
  /** S3's code, or Node.js's, or the name of the error. */
  readonly code: string
  readonly message: string
  readonly requestId: string | undefined
  readonly clockSkewCorrected: boolean
}

const withStatus = (status: number, { code, clockSkewCorrected }: Answer, { operation }: Request): Verdict => {
  // The SDK has learned the server's time from this answer and signs the next try with it.
  if (clockSkewCorrected || code === "RequestTimeTooSkewed") {
    return [ObjectStore.Unavailable, "the clock of this machine and the server's differ"]
  }
  switch (code) {
    case "NoSuchBucket":
      return [ObjectStore.Invalid, "the bucket does not exist: create it, or correct its name"]
    case "PermanentRedirect":
    case "AuthorizationHeaderMalformed":
    case "IllegalLocationConstraintException":
      return [ObjectStore.Invalid, "the bucket is in another region: set region to the bucket's"]
    case "NotImplemented":
      return [ObjectStore.Unsupported]
    case "ExpiredToken":
    case "InvalidToken":
      return [ObjectStore.Denied, "the session token is expired or wrong"]
    case "RequestTimeout":
      return [ObjectStore.Unavailable]
  }
  switch (status) {
    case 301:
    case 307:
    case 308:
      return [ObjectStore.Invalid, "the bucket answers elsewhere: set region or endpoint to the bucket's"]
    case 401:
    case 403:
      return [ObjectStore.Denied, deniedHint(operation)]
    case 404:
      // A put has nothing to miss; S3 answers so when a delete of the key gets in its way.
      return operation === "put" || operation === "putIfAbsent" ? [ObjectStore.Unavailable] : [ObjectStore.NotFound]
    case 405:
    case 501:
      return [ObjectStore.Unsupported]
    case 412:
      return operation === "putIfAbsent" ? [ObjectStore.AlreadyExists] : [ObjectStore.Invalid]
    case 416:
      return [ObjectStore.Invalid, "the range begins at or beyond the end of the object"]
    case 408:
    // Another request on the same key got in the way: neither won, so neither may conclude anything.
    case 409:
    case 425:
    case 429:
      return [ObjectStore.Unavailable]
  }
  return status >= 400 && status < 500 ? [ObjectStore.Invalid] : [ObjectStore.Unavailable]
}

const deniedHint = (operation: ObjectStore.Operation): string | undefined =>
  operation === "get" || operation === "getRange" || operation === "head"
    ? "grant s3:GetObject and s3:ListBucket: without the second one S3 answers so for a missing object"
    : undefined

const withoutAnswer = ({ code, message }: Answer): Verdict => {
  if (code === "CredentialsProviderError") {
    return [ObjectStore.Denied, "no credentials were found: pass credentials, or set AWS_ACCESS_KEY_ID and its secret"]
  }
  // The SDK throws a plain error here, so its message is all there is to tell it by.
  if (message === "Region is missing") {
    return [ObjectStore.Invalid, "no region was found: pass region, or set AWS_REGION"]
  }
  if (code.startsWith("ERR_INVALID_") || code === "TypeError" || code === "URIError") return [ObjectStore.Invalid]
  return [ObjectStore.Unavailable]
}

const describe = (hint: string | undefined, { status, code, message, requestId }: Answer): string =>
  [
    hint,
    status === undefined ? undefined : `status=${status}`,
    `code=${code}`,
    requestId === undefined ? undefined : `requestId=${requestId}`,
    // What the SDK says when the answer had no body.
    message === "UnknownError" ? undefined : `message=${message.split("\n", 1)[0]}`
  ]
    .filter((part) => part !== undefined)
    .join(" ")

const read = (cause: unknown): Answer => {
  const metadata = field(cause, "$metadata")
  const status = field(metadata, "httpStatusCode")
  const requestId = field(metadata, "requestId")
  const code = field(cause, "Code") ?? field(cause, "code") ?? field(cause, "name")
  return {
    status: typeof status === "number" ? status : undefined,
    code: typeof code === "string" ? code : "Unknown",
    message: cause instanceof Error ? cause.message : String(cause),
    requestId: typeof requestId === "string" ? requestId : undefined,
    clockSkewCorrected: field(metadata, "clockSkewCorrected") === true
  }
}

const field = (value: unknown, name: string): unknown => (Predicate.hasProperty(value, name) ? value[name] : undefined)
