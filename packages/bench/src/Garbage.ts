/**
 * Collects garbage now, so that one measurement does not pay for what was left by
 * the one before, and memory figures show what is in use.
 */
import * as v8 from "node:v8"
import * as vm from "node:vm"

v8.setFlagsFromString("--expose-gc")
const gc: unknown = vm.runInNewContext("gc")

export const collect = (): void => {
  if (typeof gc === "function") gc()
}
