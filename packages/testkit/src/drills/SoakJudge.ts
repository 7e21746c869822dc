/** What a soak measured, the bounds that it must keep, and in which of them it failed: pure. */
import * as MemoryTrend from "./MemoryTrend.ts"

/** Of one engine, for the operations that both were given. */
export interface Written {
  /** Of keys and values. */
  readonly userBytes: number
  /** Of WAL objects and tables. */
  readonly uploadedBytes: number
}

/** What a database takes, when nothing is left to be compacted. */
export interface Kept {
  /** Of the tables that the latest manifest names. */
  readonly tableBytes: number
  /** Of the keys and values that are there. */
  readonly rowBytes: number
}

export interface Measures extends Kept {
  readonly ours: Written
  readonly official: Written & Kept
  readonly memory: ReadonlyArray<MemoryTrend.Sample>
  readonly compactions: number
  readonly collectedObjects: number
  /** Objects that are there after collection, and that no manifest names. */
  readonly leftovers: ReadonlyArray<string>
  /** The exit code of `slate verify`. */
  readonly verifyCode: number
  /** What reads showed and should not have, if anything. */
  readonly wrong: ReadonlyArray<string>
}

export interface Bounds {
  readonly spaceAmplificationMax: number
  /** Bytes uploaded for each user byte, as a multiple of the official engine's. */
  readonly writeAmplificationRatioMax: number
  /** By so much may the line through the later half of the samples rise in that time. */
  readonly memoryGrowthMebibytesMax: number
}

export const bounds: Bounds = {
  spaceAmplificationMax: 2,
  writeAmplificationRatioMax: 1.1,
  memoryGrowthMebibytesMax: 32
}

export const writeAmplification = ({ uploadedBytes, userBytes }: Written): number => uploadedBytes / userBytes

export const spaceAmplification = ({ rowBytes, tableBytes }: Kept): number => tableBytes / rowBytes

/** The bound on the slope of the memory, in MiB a minute: what may be gained, spread over the later half. */
export const memorySlopeMax = ({ memory }: Measures, { memoryGrowthMebibytesMax }: Bounds): number =>
  memoryGrowthMebibytesMax / Math.max((memory.at(-1)?.minutes ?? 0) / 2, Number.MIN_VALUE)

/** One line for each bound. */
export const report = (measures: Measures, bounds: Bounds): ReadonlyArray<string> => [
  `space amplification ${print(spaceAmplification(measures))}, below ${bounds.spaceAmplificationMax}: ${measures.tableBytes} bytes of tables, ${measures.rowBytes} of keys and values; the official engine's, at the end of the measured part: ${print(spaceAmplification(measures.official))}`,
  `write amplification ${print(writeAmplification(measures.ours))}, at most ${bounds.writeAmplificationRatioMax} times the official engine's ${print(writeAmplification(measures.official))}`,
  `memory grows by ${print(MemoryTrend.slope(measures.memory))} MiB a minute in the later half, at most ${print(memorySlopeMax(measures, bounds))}`,
  `${measures.compactions} compactions, ${measures.collectedObjects} objects collected, ${measures.leftovers.length} left that no manifest names`
]

/** Every miss, in words; none when all is as it must be. */
export const misses = (measures: Measures, bounds: Bounds): ReadonlyArray<string> => {
  const { collectedObjects, compactions, leftovers, official, ours, verifyCode, wrong } = measures
  const space = spaceAmplification(measures)
  const ratio = writeAmplification(ours) / writeAmplification(official)
  const slope = MemoryTrend.slope(measures.memory)
  const slopeMax = memorySlopeMax(measures, bounds)
  const found: Array<string> = [...wrong]
  // Written so that what is no number is a miss.
  if (!(space < bounds.spaceAmplificationMax)) {
    found.push(`space amplification is ${print(space)}, and must be below ${bounds.spaceAmplificationMax}`)
  }
  if (ours.userBytes !== official.userBytes) {
    found.push(`the engines were given different work: ours=${ours.userBytes} official=${official.userBytes} bytes`)
  }
  if (!(ratio <= bounds.writeAmplificationRatioMax)) {
    found.push(
      `write amplification is ${print(ratio)} times the official engine's, and must be at most ${bounds.writeAmplificationRatioMax} times`
    )
  }
  if (!(slope <= slopeMax)) {
    found.push(`memory grows by ${print(slope)} MiB a minute in the later half, and must by at most ${print(slopeMax)}`)
  }
  if (compactions === 0) found.push("nothing was compacted")
  if (collectedObjects === 0) found.push("nothing was collected")
  if (verifyCode !== 0) found.push(`slate verify ended with ${verifyCode}`)
  if (leftovers.length > 0) {
    found.push(`${leftovers.length} objects are left that no manifest names: ${leftovers.slice(0, 5).join(" ")}`)
  }
  return found
}

const print = (ratio: number): string => ratio.toFixed(2)
