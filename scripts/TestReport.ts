/**
 * What a test run did, from the runner's JSON report.
 *
 * The counts are the runner's own. On top of them two kinds of test files must
 * have been run in full, because on a machine that lacks their counterpart they
 * would be skipped: those against a real S3 server (`*.integration.test.ts`) and
 * those against the official engine (`*.interop.test.ts`).
 */

/** The part of the report that is read here. */
export interface Report {
  readonly testResults: ReadonlyArray<{
    /** Path of the file. */
    readonly name: string
    readonly status: string
    readonly message: string
    readonly assertionResults: ReadonlyArray<{ readonly fullName: string; readonly status: string }>
  }>
}

export interface Counts {
  readonly files: number
  readonly passed: number
  readonly failed: number
  readonly skipped: number
}

export interface Summary {
  readonly all: Counts
  readonly byKind: ReadonlyMap<string, Counts>
  /** Why this run does not count as a full one. */
  readonly problems: ReadonlyArray<string>
}

const required: ReadonlyArray<readonly [kind: string, ending: string]> = [
  ["S3", ".integration.test.ts"],
  ["interoperation", ".interop.test.ts"]
]

const count = (files: Report["testResults"]): Counts => {
  const statuses = files.flatMap((file) => file.assertionResults.map(({ status }) => status))
  const passed = statuses.filter((status) => status === "passed").length
  const failed = statuses.filter((status) => status === "failed").length
  // A file that could not be loaded has no tests, and is one failure all the same.
  const broken = files.filter(isBroken).length
  return { files: files.length, passed, failed: failed + broken, skipped: statuses.length - passed - failed }
}

const isBroken = (file: Report["testResults"][number]): boolean =>
  file.status === "failed" && file.assertionResults.every(({ status }) => status !== "failed")

export const summarise = (report: Report): Summary => {
  const all = count(report.testResults)
  const byKind = new Map(
    required.map(([kind, ending]) => [kind, count(report.testResults.filter(({ name }) => name.endsWith(ending)))])
  )
  const problems = [
    ...(all.passed === 0 ? ["no test was run"] : []),
    ...report.testResults
      .filter(isBroken)
      .map(({ message, name }) => `the test file did not load: file=${name} ${message}`),
    ...[...byKind].flatMap(([kind, counts]) => [
      ...(counts.passed === 0 ? [`no ${kind} test was run`] : []),
      ...(counts.skipped > 0 ? [`${counts.skipped} ${kind} tests were skipped`] : [])
    ])
  ]
  return { all, byKind, problems }
}

export const say = ({ failed, files, passed, skipped }: Counts): string =>
  `${passed} passed, ${failed} failed, ${skipped} skipped, in ${files} files`
