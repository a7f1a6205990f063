/**
 * Style remarks that were made twice, as rules of `deno lint`.
 *
 * @module
 */

/** Longest function, in lines; a longer one carries `deno-lint-ignore` with its reason. */
const MAX_FUNCTION_LINES = 60;

const CONTRACTION =
  /\b(?:[a-z]+n't|(?:i|you|we|they|it|that|there|what|who)'(?:s|re|ve|ll|d|m))\b/i;

type FunctionNode =
  | Deno.lint.FunctionDeclaration
  | Deno.lint.FunctionExpression
  | Deno.lint.ArrowFunctionExpression;

const plugin: Deno.lint.Plugin = {
  name: "portsync",
  rules: {
    "hash-private": {
      create: (context) => ({
        ":matches(MethodDefinition, PropertyDefinition)[accessibility=private]"(node) {
          context.report({
            node,
            message: "A private member is written as #name, which also holds at run time",
          });
        },
      }),
    },
    "error-message": {
      create: (context) => ({
        "NewExpression[callee.name=/Error$/]"(node) {
          const [message] = node.arguments;
          const text = message === undefined ? undefined : wordsOf(message);
          if (text === undefined) return;
          if (CONTRACTION.test(text)) {
            context.report({ node, message: "An error message has no contractions" });
          }
          if (/[^.]\.$/.test(text)) {
            context.report({ node, message: "An error message ends without a full stop" });
          }
        },
      }),
    },
    "function-length": {
      create(context) {
        if (context.filename.endsWith("_test.ts")) return {};
        const check = (node: FunctionNode) => {
          const [from, to] = node.range;
          const lines = context.sourceCode.text.slice(from, to).split("\n").length;
          if (lines <= MAX_FUNCTION_LINES) return;
          context.report({
            range: [from, from + 1],
            message: `A function of ${lines} lines; ${MAX_FUNCTION_LINES} are enough`,
          });
        };
        return {
          FunctionDeclaration: check,
          FunctionExpression: check,
          ArrowFunctionExpression: check,
        };
      },
    },
  },
};

export default plugin;

/** The words of a string or a template, with `…` for what is filled in. */
function wordsOf(node: Deno.lint.Node): string | undefined {
  if (node.type === "Literal") return typeof node.value === "string" ? node.value : undefined;
  if (node.type === "TemplateLiteral") return node.quasis.map((part) => part.cooked).join("…");
  if (node.type === "BinaryExpression" && node.operator === "+") {
    return (wordsOf(node.left) ?? "…") + (wordsOf(node.right) ?? "…");
  }
  return undefined;
}
