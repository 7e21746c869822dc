/** What a test tells the threads of `compactionWorker.ts`. */
export interface WorkerData {
  readonly root: string
  /** A file with a line for each table that they store: thread and path. */
  readonly log: string
  /** The thread that is about to store the first table ends instead. */
  readonly dies: boolean
}
