import * as ObjectStoreSuite from "@effect-slatedb/testkit/ObjectStoreSuite"
import * as MemoryObjectStore from "../src/MemoryObjectStore.ts"

ObjectStoreSuite.suite("MemoryObjectStore", MemoryObjectStore.layer)
