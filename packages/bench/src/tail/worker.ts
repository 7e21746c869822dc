/** The module of the threads that compact for `bench tail`, on the store that it has. */
import * as CompactionWorker from "@effect-slatedb/platform-node/CompactionWorker"
import { workerData } from "node:worker_threads"
import * as Ours from "../adapters/Ours.ts"

const database: Ours.Ground = workerData

const { layer } = await Ours.ground(database)
CompactionWorker.run(layer)
