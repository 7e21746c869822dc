import * as MemoryObjectStore from "@effect-slatedb/store-memory/MemoryObjectStore"
import * as Layer from "effect/Layer"
import * as Fault from "../src/Fault.ts"
import * as FaultyObjectStore from "../src/FaultyObjectStore.ts"
import * as ObjectStoreSuite from "../src/ObjectStoreSuite.ts"

ObjectStoreSuite.suite(
  "FaultyObjectStore without rules",
  FaultyObjectStore.layer().pipe(Layer.provide(MemoryObjectStore.layer))
)

// Faults that only cost time must not change what the store says.
ObjectStoreSuite.suite(
  "FaultyObjectStore with a listing that is stale by nothing",
  FaultyObjectStore.layer({
    rules: [{ fault: Fault.throttle(1e12) }, { operation: "list", fault: Fault.staleList(0) }]
  }).pipe(Layer.provide(MemoryObjectStore.layer))
)
