interface Member {
  readonly route: string;
  readonly weight: number;
}

/** The routes that share requests by weight, by the name of their group. */
export class WeightGroups {
  private readonly groups = new Map<string, Member[]>();

  add(group: string, member: Member): void {
    const known = this.groups.get(group);
    if (known) known.push(member);
    else this.groups.set(group, [member]);
  }

  /** The route that a number from 0 to 1 falls on; undefined when no route of the group has a weight. */
  draw(group: string, number: number): string | undefined {
    const members = this.groups.get(group) ?? [];
    const total = members.reduce((sum, { weight }) => sum + weight, 0);
    let left = number * total;
    for (const { route, weight } of members) {
      if (left < weight) return route;
      left -= weight;
    }
    return undefined;
  }
}
