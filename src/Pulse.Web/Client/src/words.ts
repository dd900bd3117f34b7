/** A status for people: "Online". */
export function statusWord(status: string): string {
  return status.charAt(0).toUpperCase() + status.slice(1);
}
