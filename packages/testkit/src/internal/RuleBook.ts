/**
 * The rules in force, and which of them strike a request.
 *
 * Deciding is one synchronous step per request, in the order the requests come,
 * so what happens depends on the order of requests and the seed alone.
 */
import type * as Random from "effect/Random"
import * as Fault from "../Fault.ts"

/** A rule in force, with what it has counted. */
export interface ActiveRule {
  readonly rule: Fault.Rule
  /** Matching requests that came by, those passed over included. */
  seen: number
  /** Requests it struck. */
  strikes: number
  /** For a throttle: when its link is free again, milliseconds. */
  linkFreeAt: number
}

export class RuleBook {
  private rules: ReadonlyArray<ActiveRule> = []
  private readonly random: Random.Random

  constructor(random: Random.Random) {
    this.random = random
  }

  add(rule: Fault.Rule): ActiveRule {
    const active: ActiveRule = { rule, seen: 0, strikes: 0, linkFreeAt: 0 }
    this.rules = [...this.rules, active]
    return active
  }

  remove(active: ActiveRule): void {
    this.rules = this.rules.filter((other) => other !== active)
  }

  /** Takes all rules out of force and returns them. */
  clear(): ReadonlyArray<ActiveRule> {
    const cleared = this.rules
    this.rules = []
    return cleared
  }

  get faults(): ReadonlyArray<Fault.Fault> {
    return this.rules.map(({ rule }) => rule.fault)
  }

  /** The rules that strike this request: at most one of each kind, in the order in which faults work. */
  strike(operation: Fault.Operation, path: string): ReadonlyArray<ActiveRule> {
    const struck: Array<ActiveRule> = []
    for (const active of this.rules) {
      const kind = active.rule.fault._tag
      if (struck.some((other) => other.rule.fault._tag === kind)) continue
      if (this.takes(active, operation, path)) struck.push(active)
    }
    return struck.toSorted((a, b) => ORDER.indexOf(a.rule.fault._tag) - ORDER.indexOf(b.rule.fault._tag))
  }

  private takes(active: ActiveRule, operation: Fault.Operation, path: string): boolean {
    const { rule } = active
    if (!Fault.matches(rule, operation, path)) return false
    if (active.strikes >= (rule.times ?? Infinity)) return false
    if (active.seen++ < (rule.skip ?? 0)) return false
    // No draw for a certain rule: adding one must not shift the draws of the others.
    const probability = rule.probability ?? 1
    if (probability < 1 && this.random.nextDoubleUnsafe() >= probability) return false
    active.strikes++
    return true
  }
}

const ORDER: ReadonlyArray<Fault.Fault["_tag"]> = ["Hold", "Delay", "Throttle", "Fail", "StaleList"]
