/**
 * The repository's sources as the tidy test sees them: imports, functions, names.
 *
 * Files are parsed by the TypeScript compiler that also checks them, so that no
 * rule rests on a regular expression. Nothing is resolved or type-checked: the
 * parser gets the texts through a virtual folder, which lets a test plant a
 * violation without writing a file.
 *
 *     readSources(root) ──> { path: text } ──> parse ──> SourceFile[] ──> rules
 *
 * The compiler's JavaScript interface is not stable yet; this file is the only
 * one of the tests that uses it.
 */
import * as NodeFs from "node:fs"
import * as NodePath from "node:path"
import * as Ast from "typescript/unstable/ast"
import { API } from "typescript/unstable/sync"

export interface Import {
  readonly specifier: string
  /** Path from the root of the repository, for a relative import. */
  readonly target: string | undefined
  readonly typeOnly: boolean
  readonly line: number
}

export interface FunctionSpan {
  readonly name: string
  readonly line: number
  /** Lines with code on them, from the first to the last of the function. */
  readonly codeLines: number
}

/** A global or namespace member that is mentioned: `Date.now`, `setTimeout`, `Effect.forkScoped`, `new Date`. */
export interface Mention {
  readonly name: string
  readonly line: number
}

export interface SourceFile {
  /** From the root of the repository, with `/`. */
  readonly path: string
  readonly text: string
  readonly codeLines: number
  readonly imports: ReadonlyArray<Import>
  readonly functions: ReadonlyArray<FunctionSpan>
  readonly mentions: ReadonlyArray<Mention>
  /** Type assertions, as `name` the type that is asserted. */
  readonly assertions: ReadonlyArray<Mention>
  /** Comments that switch lint rules off. */
  readonly disabledLint: ReadonlyArray<Mention>
  /** Literals, and the fixed parts of template literals. */
  readonly strings: ReadonlyArray<string>
}

export type Sources = Readonly<Record<string, string>>

const skipped = new Set(["node_modules", "dist", ".test-build", ".git"])

/** Every file below `folder` that `accept` takes, by its path from `root`. */
export const listFiles = (root: string, folder: string, accept: (path: string) => boolean): ReadonlyArray<string> => {
  const absolute = NodePath.join(root, folder)
  if (!NodeFs.existsSync(absolute)) return []
  return NodeFs.readdirSync(absolute, { withFileTypes: true }).flatMap((entry) => {
    const path = NodePath.posix.join(folder, entry.name)
    if (entry.isDirectory()) return skipped.has(entry.name) ? [] : listFiles(root, path, accept)
    return accept(path) ? [path] : []
  })
}

/** The texts of the TypeScript files below `folder`. */
export const readSources = (root: string, folder: string): Sources =>
  Object.fromEntries(
    listFiles(root, folder, (path) => path.endsWith(".ts")).map((path) => [
      path,
      NodeFs.readFileSync(NodePath.join(root, path), "utf8")
    ])
  )

/** Parses sources that need not exist on disk. */
export const parse = (sources: Sources): ReadonlyArray<SourceFile> => {
  const folder = `/tree${parses++}`
  const paths = Object.keys(sources)
  for (const [path, text] of Object.entries(sources)) texts.set(`${folder}/${path}`, text)
  const config = `${folder}/tsconfig.json`
  const options = { noLib: true, types: [], noResolve: true, allowImportingTsExtensions: true }
  texts.set(config, JSON.stringify({ compilerOptions: options, files: paths }))
  const project = compiler()
    .updateSnapshot({ openProjects: [config] })
    .getProject(config)
  const files = paths.map((path) => {
    const file = project?.program.getSourceFile(`${folder}/${path}`)
    if (file === undefined) throw new Error(`the compiler did not parse path=${path}`)
    return describeFile(path, file)
  })
  texts.clear()
  return files
}

/** What the compiler sees instead of a disk. */
const texts = new Map<string, string>()
let parses = 0

/** One compiler for the whole process; it ends with it. */
const compiler = (): API =>
  (compilerOrNone ??= new API({
    cwd: "/",
    fs: {
      readFile: (path) => texts.get(path) ?? null,
      fileExists: (path) => texts.has(path),
      directoryExists: (path) => [...texts.keys()].some((name) => name.startsWith(`${path}/`)),
      getAccessibleEntries: () => ({ files: [], directories: [] })
    }
  }))
let compilerOrNone: API | undefined

const describeFile = (path: string, file: Ast.SourceFile): SourceFile => {
  const nodes = descendants(file)
  const code = codeLinesOf(file.text, nodes)
  const lineOf = (position: number) => lineAt(code.lineStarts, position)
  return {
    path,
    text: file.text,
    codeLines: code.countBetween(0, file.end),
    imports: file.imports.filter(Ast.isStringLiteral).map((specifier) => ({
      specifier: specifier.text,
      target: specifier.text.startsWith(".")
        ? NodePath.posix.join(NodePath.posix.dirname(path), specifier.text)
        : undefined,
      typeOnly: isTypeOnly(specifier.parent),
      line: lineOf(specifier.getStart())
    })),
    functions: nodes.filter(isFunctionWithBody).map((node) => ({
      name: nameOfFunction(node),
      line: lineOf(node.getStart()),
      codeLines: ownLines(node, nodes, code)
    })),
    mentions: mentionsOf(nodes).map(({ name, node }) => ({ name, line: lineOf(node.getStart()) })),
    assertions: nodes.filter(Ast.isAsExpression).map((node) => ({
      name: isForced(node) ? `unknown as ${node.type.getText()}` : node.type.getText(),
      line: lineOf(node.type.getStart())
    })),
    disabledLint: file.text
      .split("\n")
      .flatMap((text, index) => (/(ox|es)lint-disable/.test(text) ? [{ name: text.trim(), line: index + 1 }] : [])),
    strings: nodes.filter(isLiteral).map((node) => node.text)
  }
}

const descendants = (root: Ast.Node): ReadonlyArray<Ast.Node> => {
  const all: Array<Ast.Node> = []
  const visit = (node: Ast.Node): undefined => {
    all.push(node)
    node.forEachChild(visit)
  }
  visit(root)
  return all
}

const isLiteral = (node: Ast.Node): node is Ast.LiteralLikeNode =>
  Ast.isLiteralLikeNode(node) || Ast.isNoSubstitutionTemplateLiteral(node)

/** `x as unknown as T`: the compiler is not asked any more. */
const isForced = (node: Ast.AsExpression): boolean =>
  Ast.isAsExpression(node.expression) && node.expression.type.kind === Ast.SyntaxKind.UnknownKeyword

const isTypeOnly = (node: Ast.Node): boolean => {
  if (Ast.isExportDeclaration(node)) return node.isTypeOnly
  if (!Ast.isImportDeclaration(node)) return Ast.isLiteralTypeNode(node)
  const clause = node.importClause
  return (
    clause?.phaseModifier === Ast.SyntaxKind.TypeKeyword ||
    (clause?.namedBindings !== undefined &&
      Ast.isNamedImports(clause.namedBindings) &&
      clause.namedBindings.elements.every((element) => element.isTypeOnly))
  )
}

const isFunctionWithBody = (node: Ast.Node): boolean =>
  Ast.isArrowFunction(node) ||
  Ast.isFunctionExpression(node) ||
  ((Ast.isFunctionDeclaration(node) || Ast.isMethodDeclaration(node) || Ast.isConstructorDeclaration(node)) &&
    node.body !== undefined)

/** Its own name, or that of the nearest declaration around it: `Effect.fn("x")(function*() {})` belongs to `x`. */
const nameOfFunction = (node: Ast.Node): string => {
  for (let at: Ast.Node | undefined = node; at !== undefined; at = at.parent) {
    if (
      (Ast.isVariableDeclaration(at) ||
        Ast.isPropertyAssignment(at) ||
        Ast.isPropertyDeclaration(at) ||
        Ast.isFunctionDeclaration(at) ||
        Ast.isFunctionExpression(at) ||
        Ast.isMethodDeclaration(at)) &&
      at.name !== undefined
    ) {
      return at.name.getText()
    }
    if (Ast.isConstructorDeclaration(at)) return "constructor"
  }
  return "(module)"
}

interface CodeLines {
  readonly lineStarts: ReadonlyArray<number>
  readonly countBetween: (start: number, end: number) => number
}

/** A line counts when something other than blanks and comments stands on it. Comments are free: they are wanted. */
/** Lines of a function; of each function directly inside it only the first, as that is counted for itself. */
const ownLines = (node: Ast.Node, nodes: ReadonlyArray<Ast.Node>, code: CodeLines): number => {
  const inside = nodes.filter(
    (other) =>
      other !== node && isFunctionWithBody(other) && node.getStart() <= other.getStart() && other.end <= node.end
  )
  const direct = inside.filter((one) =>
    inside.every((other) => other === one || !(other.getStart() <= one.getStart() && one.end <= other.end))
  )
  return direct.reduce(
    (lines, one) => lines - code.countBetween(one.getStart(), one.end) + 1,
    code.countBetween(node.getStart(), node.end)
  )
}

const codeLinesOf = (text: string, nodes: ReadonlyArray<Ast.Node>): CodeLines => {
  // Inside these, `//` is not a comment.
  const literalEnds = new Map(nodes.filter(isLiteral).map((node) => [node.getStart(), node.end]))
  const lineStarts = [0]
  const isCode = [false]
  for (let i = 0; i < text.length;) {
    const end = literalEnds.get(i) ?? commentEnd(text, i) ?? i + 1
    const isComment = end > i + 1 && !literalEnds.has(i)
    for (; i < end; i++) {
      if (text[i] === "\n") {
        lineStarts.push(i + 1)
        isCode.push(false)
      } else if (!isComment && text[i] !== " ") {
        isCode[isCode.length - 1] = true
      }
    }
  }
  return {
    lineStarts,
    countBetween: (start, end) =>
      isCode.slice(lineAt(lineStarts, start) - 1, lineAt(lineStarts, end)).filter(Boolean).length
  }
}

/** Where the comment that begins at `start` ends, if one does. */
const commentEnd = (text: string, start: number): number | undefined => {
  const closing = text.startsWith("//", start) ? "\n" : text.startsWith("/*", start) ? "*/" : undefined
  if (closing === undefined) return undefined
  const found = text.indexOf(closing, start + 2)
  if (found < 0) return text.length
  return closing === "\n" ? found : found + closing.length
}

/** Lines count from 1. */
const lineAt = (lineStarts: ReadonlyArray<number>, position: number): number =>
  lineStarts.findLastIndex((start) => start <= position) + 1

/** Dotted names (`Date.now`) and single names that the file does not declare (`setTimeout`). */
const mentionsOf = (
  nodes: ReadonlyArray<Ast.Node>
): ReadonlyArray<{ readonly name: string; readonly node: Ast.Node }> => {
  const declared = new Set(nodes.filter(isDeclaredName).map((node) => node.getText()))
  return nodes.flatMap((node) => {
    if (Ast.isNewExpression(node) && (node.arguments?.length ?? 0) === 0) {
      return [{ name: `new ${node.expression.getText()}`, node }]
    }
    const name = dottedName(node)
    if (name === undefined || declared.has(name.split(".")[0] ?? "")) return []
    return [{ name: name.replace(/^globalThis\./, ""), node }]
  })
}

const dottedName = (node: Ast.Node): string | undefined => {
  if (Ast.isIdentifier(node)) return isNameOf(node, node.parent) ? undefined : node.text
  if (!Ast.isPropertyAccessExpression(node)) return undefined
  const before = dottedName(node.expression)
  return before === undefined ? undefined : `${before}.${node.name.text}`
}

const isNameOf = (node: Ast.Node, parent: Ast.Node): boolean => "name" in parent && parent.name === node

const isDeclaredName = (node: Ast.Node): boolean =>
  Ast.isIdentifier(node) &&
  isNameOf(node, node.parent) &&
  (Ast.isVariableDeclaration(node.parent) ||
    Ast.isParameterDeclaration(node.parent) ||
    Ast.isBindingElement(node.parent) ||
    Ast.isFunctionDeclaration(node.parent) ||
    Ast.isImportSpecifier(node.parent))
