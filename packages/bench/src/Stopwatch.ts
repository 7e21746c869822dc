/**
 * Wall time and processor time of a measured section.
 */

export interface Elapsed {
  readonly nanoseconds: number
  /** User and system time of all threads of the process. */
  readonly cpuMicros: number
}

/** Starts a watch; the function it gives stops it. */
export const start = (): (() => Elapsed) => {
  const cpu = process.cpuUsage()
  const wall = process.hrtime.bigint()
  return () => {
    const nanoseconds = Number(process.hrtime.bigint() - wall)
    const { system, user } = process.cpuUsage(cpu)
    return { nanoseconds, cpuMicros: user + system }
  }
}
