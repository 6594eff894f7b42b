import { headerOf } from '../proxy/headers.js';
import { DoorStep, type Verdict } from './door-step.js';
import type { Visit } from './visit.js';

/** From where requests are let in. */
export interface AddressRules {
  readonly isAllowed: ((address: string) => boolean) | undefined;
  readonly isDenied: (address: string) => boolean;
  readonly hook: AddressHook | undefined;
}

/** Decides by a client's address and headers, such as a country that a proxy in front has named. */
export type AddressHook = (client: {
  readonly address: string;
  /** The first header of a name in small letters. */
  readonly header: (name: string) => string | undefined;
}) => boolean;

const REFUSED = { status: 403, headers: [], reason: 'its address is not let in' };

/** Lets in by address: not what is denied, and only what is allowed where there is such a list. */
export class AddressStep extends DoorStep {
  override readonly name = 'addresses';

  constructor(private readonly rules: AddressRules) {
    super();
  }

  override enter(visit: Visit): Verdict {
    const { clientAddress: address } = visit;
    const { isAllowed, isDenied, hook } = this.rules;
    if (isDenied(address) || isAllowed?.(address) === false) return REFUSED;
    const passes = hook?.({ address, header: (name) => headerOf(visit.rawHeaders, name) });
    // Whatever is not true is taken for no.
    return hook === undefined || passes === true ? undefined : REFUSED;
  }
}
