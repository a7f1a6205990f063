/**
 * Checks the models of the wait and wake protocols in `c/models` with spin: the protocols must lose
 * no wake, and with each fault that a model knows they must lose one, or the model proves nothing.
 *
 * ```sh
 * deno task models # needs spin and a C compiler: apt-get install spin gcc
 * ```
 *
 * @module
 */

const MODELS = new URL("../c/models/", import.meta.url).pathname;

/** One check of a model. */
interface Check {
  readonly model: string;
  /** What to define: which fault to make, none with 0. */
  readonly define: string;
  /** Whether every message must arrive. */
  readonly holds: boolean;
}

const CHECKS: readonly Check[] = [
  { model: "netipc_wait", define: "ORDER=0", holds: true },
  { model: "netipc_wait", define: "ORDER=1", holds: false },
  { model: "ring_sleep", define: "FAULT=0", holds: true },
  { model: "ring_sleep", define: "FAULT=1", holds: false },
  { model: "ring_sleep", define: "FAULT=2", holds: false },
];

/** Whether the model's claim holds, for every order of steps in which nobody is left out for ever. */
async function verify({ model, define }: Check, folder: string): Promise<boolean> {
  await run("spin", [`-D${define}`, "-a", `${MODELS}${model}.pml`], folder);
  await run("cc", ["-O2", "-w", "-o", "pan", "pan.c"], folder);
  const report = await run(`${folder}/pan`, ["-a", "-f"], folder);
  const errors = /errors: (\d+)/.exec(report)?.[1];
  if (errors === undefined) throw new Error(`${model} was not checked:\n${report}`);
  return errors === "0";
}

async function run(program: string, args: readonly string[], cwd: string): Promise<string> {
  const { success, stdout, stderr } = await new Deno.Command(program, { args: [...args], cwd })
    .output();
  const text = new TextDecoder().decode(stdout) + new TextDecoder().decode(stderr);
  if (!success) throw new Error(`${program} ${args.join(" ")}\n${text}`);
  return text;
}

async function main(): Promise<number> {
  const folder = await Deno.makeTempDir({ prefix: "portsync-models-" });
  let failed = 0;
  try {
    for (const check of CHECKS) {
      const holds = await verify(check, folder);
      const right = holds === check.holds;
      if (!right) failed++;
      const found = holds ? "no wake is lost" : "a wake is lost";
      console.log(`${check.model} ${check.define}: ${found}, ${right ? "as it must be" : "WRONG"}`);
    }
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    console.error("The models need spin and a C compiler; install them: apt-get install spin gcc");
    return 69;
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
  return failed === 0 ? 0 : 1;
}

if (import.meta.main) Deno.exit(await main());
