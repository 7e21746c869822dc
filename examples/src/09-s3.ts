/**
 * A database in a bucket, with everything that differs between places taken from
 * the environment.
 *
 *     S3_BUCKET=databases S3_ENDPOINT=http://127.0.0.1:9000 SLATEDB_WAL_FLUSH=eager \
 *     AWS_ACCESS_KEY_ID=... AWS_SECRET_ACCESS_KEY=... \
 *     node examples/src/09-s3.ts
 */
import * as Db from "@effect-slatedb/core/Db"
import * as Settings from "@effect-slatedb/core/Settings"
import * as NodeCompression from "@effect-slatedb/platform-node/NodeCompression"
import * as S3ObjectStore from "@effect-slatedb/store-s3/S3ObjectStore"
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as Config from "effect/Config"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"

// Credentials are not named here: the SDK looks for them in the environment, in a profile, and in the machine's role.
//
// No request is made before the database is opened. A server that does not keep two writers apart (it has to know
// `If-None-Match: *` on a put) is found out then, and refused.
export const StoreLive = S3ObjectStore.layerConfig({
  bucket: Config.String("S3_BUCKET"),
  prefix: Config.String("S3_PREFIX").pipe(Config.withDefault("effect-slatedb")),
  // Amazon's own when there is none.
  endpoint: Config.String("S3_ENDPOINT").pipe(Config.option, Config.map(Option.getOrUndefined))
})

// `Settings.config` reads `SLATEDB_FLUSH_INTERVAL`, `SLATEDB_COMPRESSION` and so on; what is not set has its default.
const DbLive = Db.layerConfig({ path: Config.succeed("greetings"), settings: Settings.config }).pipe(
  Layer.provide(NodeCompression.layer)
)

export const program = Effect.gen(function* () {
  const db = yield* Db.Db
  yield* db.put("en", "hello")
  yield* Console.log(new TextDecoder().decode(yield* db.get("en"))) // => hello
}).pipe(Effect.provide(DbLive))

if (import.meta.main) {
  program.pipe(Effect.provide(StoreLive), NodeRuntime.runMain)
}
