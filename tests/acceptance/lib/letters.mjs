// The letters that the instance under test sent: run.sh has them written to SELFDB_MAILS.
import { readFileSync } from "node:fs";
import { until } from "./instance.mjs";

const all = () => {
  try {
    return readFileSync(process.env.SELFDB_MAILS, "utf8").trimEnd().split("\n").map((line) => JSON.parse(line));
  } catch {
    return [];
  }
};

/** How many letters `address` has got. */
export const lettersTo = (address) => all().filter(({ to }) => to.includes(address));

/** The letter after the first `seen` that `address` gets: its subject, link and code. */
export async function letterTo(address, seen = 0) {
  const { subject, text } = await until(`a letter to ${address}`, () => lettersTo(address)[seen]);
  return {
    subject,
    link: /Follow this link: (\S+)/.exec(text)?.[1],
    code: /enter the code: (\d+)/i.exec(text)?.[1],
  };
}
