export * as Fault from "./Fault.ts"
export * as FaultyObjectStore from "./FaultyObjectStore.ts"
export * as Gate from "./Gate.ts"
export * as ObjectStoreSuite from "./ObjectStoreSuite.ts"
