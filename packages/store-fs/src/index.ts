export * as FileObjectStore from "./FileObjectStore.ts"
