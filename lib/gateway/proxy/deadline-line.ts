import { DEADLINE_HEADER } from '../../common/request-context.js';

const GIVEN = new RegExp(`^${DEADLINE_HEADER}: *(\\d{1,9})\\r\\n`, 'im');

/**
 * Header lines that tell the upstream how long it is waited for, in ms: as long as the route allows, or less if the client
 * has said so itself.
 */
export function withDeadline(lines: string, total: number): string {
  const given = GIVEN.exec(lines);
  const least = given === null ? total : Math.min(total, Number(given[1]));
  const line = `${DEADLINE_HEADER}: ${least}\r\n`;
  return given === null ? lines + line : lines.replace(GIVEN, line);
}
