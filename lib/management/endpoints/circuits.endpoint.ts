import { Injectable, Optional } from '@nestjs/common';
import { type ManagementAnswer, ManagementEndpoint } from '../../common/management-endpoint.js';
import { Circuits } from '../../resilience/circuits.js';

/** Every circuit of this service, with its state and what it counts. */
@Injectable()
export class CircuitsEndpoint extends ManagementEndpoint {
  override readonly id = 'circuits';

  constructor(@Optional() private readonly circuits?: Circuits) {
    super();
  }

  override answer(): ManagementAnswer {
    const all = this.circuits?.all() ?? [];
    const circuits = all.map(({ name, state, calls, failures }) => [
      name,
      { state, calls, failures },
    ]);
    return { body: { circuits: Object.fromEntries(circuits) } };
  }
}
