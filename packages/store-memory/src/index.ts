export * as MemoryObjectStore from "./MemoryObjectStore.ts"
