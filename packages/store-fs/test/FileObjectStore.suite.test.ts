import * as ObjectStoreSuite from "@effect-slatedb/testkit/ObjectStoreSuite"
import * as NodeServices from "@effect/platform-node/NodeServices"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Layer from "effect/Layer"
import * as FileObjectStore from "../src/FileObjectStore.ts"

for (const fsync of [true, false]) {
  const store = Layer.unwrap(
    Effect.gen(function* () {
      const fileSystem = yield* FileSystem.FileSystem
      return FileObjectStore.layer({ root: yield* fileSystem.makeTempDirectoryScoped(), fsync })
    })
  ).pipe(Layer.provide(NodeServices.layer))
  ObjectStoreSuite.suite(`FileObjectStore with fsync=${fsync}`, store, { keepsPutIds: false })
}
