/**
 * Where the objects are, as one word on the command line.
 *
 *     file:DIR             a directory; file:///absolute/path is understood as well
 *     s3://BUCKET/PREFIX   S3, or what speaks like it: the endpoint is AWS_ENDPOINT_URL
 *     memory:              gone when the command ends
 */
import type * as ObjectStore from "@effect-slatedb/core/ObjectStore"
import * as FileObjectStore from "@effect-slatedb/store-fs/FileObjectStore"
import * as MemoryObjectStore from "@effect-slatedb/store-memory/MemoryObjectStore"
import * as Config from "effect/Config"
import * as Effect from "effect/Effect"
import type * as FileSystem from "effect/FileSystem"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import type * as Path from "effect/Path"
import * as Result from "effect/Result"
import * as Problem from "./Problem.ts"

export type StoreUrl =
  | { readonly _tag: "File"; readonly root: string }
  | { readonly _tag: "S3"; readonly bucket: string; readonly prefix: string }
  | { readonly _tag: "Memory" }

export const parse = (text: string): Result.Result<StoreUrl, Problem.Problem> => {
  if (text === "memory:") return Result.succeed({ _tag: "Memory" })
  const file = /^file:(?:\/\/(?=\/))?(.+)$/s.exec(text)?.[1]
  if (file !== undefined) return Result.succeed({ _tag: "File", root: file })
  const s3 = /^s3:\/\/([^/]+)(?:\/(.*))?$/s.exec(text)
  if (s3?.[1] !== undefined) return Result.succeed({ _tag: "S3", bucket: s3[1], prefix: s3[2] ?? "" })
  return Result.fail(Problem.usage(`--store: "${text}" is no store`, "give file:DIR, s3://BUCKET/PREFIX or memory:"))
}

/** The text that {@link parse} reads. */
export const print = (url: StoreUrl): string => {
  switch (url._tag) {
    case "File":
      return `file:${url.root}`
    case "S3":
      return `s3://${url.bucket}${url.prefix === "" ? "" : `/${url.prefix}`}`
    case "Memory":
      return "memory:"
  }
}

export const layer = (
  url: StoreUrl
): Layer.Layer<ObjectStore.ObjectStore, Problem.Problem, FileSystem.FileSystem | Path.Path> => {
  switch (url._tag) {
    case "File":
      return orProblem(FileObjectStore.layer({ root: url.root }))
    case "S3":
      return orProblem(Layer.unwrap(s3(url)))
    case "Memory":
      return MemoryObjectStore.layer
  }
}

/** The SDK is loaded by those commands alone that need it: it takes longer than most of them do. */
const s3 = Effect.fnUntraced(function* (url: { readonly bucket: string; readonly prefix: string }) {
  const S3ObjectStore = yield* Effect.promise(() => import("@effect-slatedb/store-s3/S3ObjectStore"))
  return S3ObjectStore.layer({ ...url, endpoint: yield* endpoint })
})

/** The names that the tools of AWS use. */
const endpoint = Config.String("AWS_ENDPOINT_URL_S3").pipe(
  Config.orElse(() => Config.String("AWS_ENDPOINT_URL")),
  Config.option,
  Config.map(Option.getOrUndefined)
)

const orProblem = <A, E, R>(layer: Layer.Layer<A, E, R>): Layer.Layer<A, Problem.Problem, R> =>
  Layer.catch(layer, (error) => Layer.effectContext(Effect.fail(Problem.from(error))))
