/**
 * Checks the models of the C library's protocols in `c/models` with spin: their claims must hold,
 * and with each fault that a model knows they must not, or the model proves nothing.
 *
 * ```sh
 * deno task models
 * ```
 *
 * @module
 */

const MODELS = new URL("../c/models/", import.meta.url).pathname;

/** A model and the number of faults that it can make of itself. */
interface Model {
  readonly name: string;
  /** What picks the fault; none with 0. */
  readonly define: string;
  readonly faults: number;
}

const ALL: readonly Model[] = [
  { name: "netipc_wait", define: "ORDER", faults: 3 },
  { name: "ring_sleep", define: "FAULT", faults: 3 },
  { name: "shm_bury", define: "FAULT", faults: 2 },
];

/** Checks a model without a fault and with each; returns how many did not end as they must. */
async function checkModel({ name, define, faults }: Model): Promise<number> {
  let wrong = 0;
  for (let fault = 0; fault <= faults; fault++) {
    const holds = await verify(name, `${define}=${fault}`);
    const right = holds === (fault === 0);
    if (!right) wrong++;
    const found = holds ? "its claims hold" : "a claim does not hold";
    console.log(`${name} ${define}=${fault}: ${found}, ${right ? "as it must be" : "WRONG"}`);
  }
  return wrong;
}

/** Whether the claims hold, for every order of steps in which nobody is left out for ever. */
async function verify(name: string, define: string): Promise<boolean> {
  const folder = await Deno.makeTempDir({ prefix: "portsync-models-" });
  try {
    await run("spin", [`-D${define}`, "-a", `${MODELS}${name}.pml`], folder);
    await run("cc", ["-O1", "-w", "-o", "pan", "pan.c"], folder);
    const report = await run(`${folder}/pan`, ["-a", "-f"], folder);
    const errors = /errors: (\d+)/.exec(report)?.[1];
    if (errors === undefined || report.includes("max search depth too small")) {
      throw new Error(`${name} was not checked:\n${report}`);
    }
    return errors === "0";
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

async function run(program: string, args: readonly string[], cwd: string): Promise<string> {
  const { success, stdout, stderr } = await new Deno.Command(program, { args: [...args], cwd })
    .output();
  const text = new TextDecoder().decode(stdout) + new TextDecoder().decode(stderr);
  if (!success) throw new Error(`${program} ${args.join(" ")}\n${text}`);
  return text;
}

if (import.meta.main) {
  const wrong = await Promise.all(ALL.map(checkModel));
  Deno.exit(wrong.every((count) => count === 0) ? 0 : 1);
}
