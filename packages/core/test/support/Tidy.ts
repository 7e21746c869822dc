/**
 * The rules that the tidy test applies to sources.
 *
 * Each rule is a pure function from parsed files to messages, empty when all is
 * well. A message begins with the file and says which rule it breaks, so that
 * nobody has to open this file to understand it.
 */
import { floorOf, isPure, isTask, mayImport, nounOf, pureModules, source } from "./Floors.ts"
import type { Import, SourceFile } from "./SourceTree.ts"

export type Rule = (files: ReadonlyArray<SourceFile>) => ReadonlyArray<string>

export const codeLinesPerFileMax = 400
export const codeLinesPerFunctionMax = 70

const at = (file: SourceFile, place: { readonly line: number }, message: string): string =>
  `${file.path}:${place.line} ${message}`

const forEachImport =
  (check: (file: SourceFile, imported: Import) => string | undefined): Rule =>
  (files) =>
    files.flatMap((file) =>
      file.imports.flatMap((imported) => {
        const message = check(file, imported)
        return message === undefined ? [] : [at(file, imported, message)]
      })
    )

/** Every file of core stands on a floor. */
export const everyFileHasAFloor: Rule = (files) =>
  files
    .filter(({ path }) => path.startsWith(source) && path !== `${source}index.ts` && floorOf(path) === undefined)
    .map(
      ({ path }) => `${path} stands on no floor: put it into src/ or src/internal/{model,format,lsm,store,read,task}`
    )

/** Imports point down the stairs, as the table says. */
export const importsPointDown: Rule = forEachImport((file, imported) => {
  const from = floorOf(file.path)
  const to = imported.target === undefined ? undefined : floorOf(imported.target)
  if (from === undefined || to === undefined || imported.target === undefined || from === to) return undefined
  const permission = mayImport[from][to]
  const noun = nounOf(imported.target)
  if (permission === undefined) return `the ${from} floor may not import the ${to} floor: ${imported.specifier}`
  if (permission === "all") return undefined
  if ("only" in permission) {
    return permission.only.includes(noun)
      ? undefined
      : `the ${from} floor may import only ${permission.only.join(", ")} of the ${to} floor: ${imported.specifier}`
  }
  return imported.typeOnly || permission.values.includes(noun)
    ? undefined
    : `the ${from} floor may import only types of the ${to} floor: ${imported.specifier}`
})

/** No task imports another task: the roof hands it the functions that it may call. */
export const tasksAreStrangers: Rule = forEachImport((file, imported) =>
  isTask(file.path) && imported.target !== undefined && isTask(imported.target) && imported.target !== file.path
    ? `a task may not import another task: ${imported.specifier}`
    : undefined
)

/** No package's sources reach into another package, and other packages see only core's public modules. */
export const packagesUsePublicModules: Rule = forEachImport((file, imported) => {
  const home = file.path.split("/").slice(0, 3).join("/")
  if (imported.target !== undefined) {
    // A program may read its own version.
    return imported.target.startsWith(`${home}/`) || imported.target === home.replace(/src$/, "package.json")
      ? undefined
      : `a relative import may not leave ${home}: ${imported.specifier}`
  }
  const foreign = /^@effect-slatedb\/([^/]+)(?:\/(.+))?$/.exec(imported.specifier)
  if (foreign === null) return undefined
  if (`packages/${foreign[1]}/src` === home) return `a package names its own files: ${imported.specifier}`
  if (foreign[2]?.startsWith("internal") === true) return `internal modules are private to core: ${imported.specifier}`
  return foreign[2] === undefined ? `import the module, not the barrel: ${imported.specifier}` : undefined
})

/** The barrel exists for users; files import files. Effect too is imported by module. */
export const noBarrels: Rule = forEachImport((file, imported) => {
  if (imported.specifier === "effect") return `import the module, not the barrel: ${imported.specifier}`
  return imported.target?.endsWith("/index.ts") === true && nounOf(file.path) !== "index"
    ? `import the file, not the barrel: ${imported.specifier}`
    : undefined
})

/** Model, format and lsm are plain functions over plain data. */
export const pureFloorsHaveNoEffects: Rule = forEachImport((file, imported) =>
  isPure(floorOf(file.path)) && imported.target === undefined && !pureModules.has(imported.specifier)
    ? `the ${floorOf(file.path)} floor is pure and may not import ${imported.specifier}`
    : undefined
)

/** Core runs wherever Effect runs. */
export const coreImportsOnlyEffect: Rule = forEachImport((file, imported) =>
  file.path.startsWith(source) && imported.target === undefined && !imported.specifier.startsWith("effect/")
    ? `core may import only effect/* and its own files: ${imported.specifier}`
    : undefined
)

const fiberModules = /^effect\/(Queue|Fiber|FiberSet|FiberMap|FiberHandle|ManagedRuntime|PubSub)$/
const forks = /^(Effect\.(fork\w*|run(Fork|Promise|Sync|Callback)\w*)|FiberSet\.\w+|FiberMap\.\w+|Queue\.\w+)$/

/** Fibers and mailboxes live on the task floor. */
export const onlyTasksFork: Rule = (files) =>
  files
    .filter(
      (file) => file.path.startsWith(source) && floorOf(file.path) !== "task" && file.path !== `${source}index.ts`
    )
    .flatMap((file) => [
      ...file.imports
        .filter((imported) => fiberModules.test(imported.specifier) && !imported.typeOnly)
        .map((imported) => at(file, imported, `only the task floor may use ${imported.specifier}`)),
      ...file.mentions
        .filter((mention) => forks.test(mention.name))
        .map((mention) => at(file, mention, `only the task floor may call ${mention.name}`))
    ])

const banned: ReadonlyArray<readonly [pattern: RegExp, instead: string]> = [
  [/^(Date\.now|new Date|performance\.\w+)$/, "the Clock service"],
  [/^Math\.random$/, "the Random service"],
  [/^crypto\.(randomUUID|getRandomValues)$/, "the Random service"],
  [/^(setTimeout|setInterval|setImmediate|queueMicrotask)$/, "Effect.sleep or a Schedule"],
  [/^console\.\w+$/, "Effect.log"],
  [/^(fetch|process\.\w+|require|Buffer(\.\w+)?)$/, "a service that the caller provides"]
]

/** Time, chance and the outside world come in through services, so that a test owns them. */
export const coreCallsNothingGlobal: Rule = (files) =>
  files
    .filter((file) => file.path.startsWith(source))
    .flatMap((file) =>
      file.mentions.flatMap((mention) => {
        const found = banned.find(([pattern]) => pattern.test(mention.name))
        return found === undefined ? [] : [at(file, mention, `${mention.name} is banned in core: use ${found[1]}`)]
      })
    )

/** A noun is hiding in a file or a function that is longer. */
export const nothingIsTooLong: Rule = (files) =>
  files.flatMap((file) => [
    ...(file.codeLines > codeLinesPerFileMax
      ? [`${file.path} has ${file.codeLines} lines of code, at most ${codeLinesPerFileMax} are allowed`]
      : []),
    ...file.functions
      .filter((span) => span.codeLines > codeLinesPerFunctionMax)
      .map((span) =>
        at(
          file,
          span,
          `${span.name} has ${span.codeLines} lines of code, at most ${codeLinesPerFunctionMax} are allowed`
        )
      )
  ])

/** Nobody imports in a circle, not even types. */
export const noCycles: Rule = (files) => {
  const targets = new Map(files.map((file) => [file.path, file.imports.flatMap(({ target }) => target ?? [])]))
  const done = new Set<string>()
  const messages: Array<string> = []
  const visit = (path: string, trail: ReadonlyArray<string>): void => {
    const start = trail.indexOf(path)
    if (start >= 0) {
      messages.push(`${path} imports itself in a circle: ${[...trail.slice(start), path].map(nounOf).join(" -> ")}`)
      return
    }
    if (done.has(path)) return
    for (const target of targets.get(path) ?? []) visit(target, [...trail, path])
    done.add(path)
  }
  for (const path of targets.keys()) visit(path, [])
  return messages
}

/** A barrel names every public module of its package, each as a namespace. */
export const barrelsAreComplete: Rule = (files) =>
  files
    .filter(({ path }) => /^packages\/[^/]+\/src\/index\.ts$/.test(path))
    .flatMap((barrel) => {
      const folder = barrel.path.replace("index.ts", "")
      const named = new Set(barrel.imports.map(({ target }) => target))
      return files
        .filter(
          ({ path }) => path.startsWith(folder) && path !== barrel.path && !path.slice(folder.length).includes("/")
        )
        .filter(({ path }) => !named.has(path))
        .map(({ path }) => `${barrel.path} does not name the public module ${nounOf(path)}`)
    })

/** A private file that no source imports is dead. */
export const noDeadFiles: Rule = (files) => {
  const imported = new Set(files.flatMap((file) => file.imports.map(({ target }) => target)))
  return files
    .filter(({ path }) => path.startsWith(`${source}internal/`) && !imported.has(path))
    .map(({ path }) => `${path} is imported by no source file: delete it, or move it to test/`)
}

/** "Give the thing its name." */
export const namesSaySomething: Rule = (files) =>
  files
    .filter(({ path }) => /^(utils?|helpers?|common|types?|misc|shared)$/i.test(nounOf(path)))
    .map(({ path }) => `${path} has a name that says nothing: name the concept it holds`)

/** One noun per file, PascalCase; `main` starts a program, `index` is the generated barrel, `worker` is a thread's entry. */
export const filesAreNouns: Rule = (files) =>
  files
    .filter(({ path }) => !/^([A-Z][A-Za-z0-9]*|index|main|worker)$/.test(nounOf(path)))
    .map(({ path }) => `${path} is not named in PascalCase`)

/** A type that has to be forced is the wrong type. */
export const typesAreNotForced: Rule = (files) =>
  files.flatMap((file) =>
    file.assertions
      .filter(({ name }) => name === "never" || name === "any" || name.startsWith("unknown as "))
      .map((assertion) => at(file, assertion, `a type is forced: as ${assertion.name}`))
  )

/** Who switches a lint rule off says why: `-- because`. */
export const disabledLintHasReasons: Rule = (files) =>
  files.flatMap((file) =>
    file.disabledLint
      .filter(({ name }) => !/lint-disable\S* \S+.* -- \S+/.test(name))
      .map((comment) => at(file, comment, "a lint rule is switched off without a reason: name the rule, then '-- why'"))
  )

/** Every module opens with prose: what it is, the life of a value through it, what it does not do. */
export const modulesOpenWithProse: Rule = (files) =>
  files
    .filter(({ path, text }) => nounOf(path) !== "index" && !/^(#!.*\n)?\/\*\*/.test(text))
    .map(({ path }) => `${path} does not open with prose: say what it is`)
