import type { IncomingHttpHeaders } from 'node:http';

/** More paths than this are everything. */
const MOST_PATHS = 1_000;

/** What stands for "all applications may be concerned". */
const EVERYTHING = ['application.yml'];

type Payload = Readonly<Record<string, unknown>>;

/**
 * The files that a webhook names as changed: pushes of GitHub, GitLab, Gitea, Gitee, Gogs and Bitbucket, and the plain
 * `{ "path": ["orders.yml"] }`. Who does not name files (Bitbucket, Gitea) means all of them; other events mean none.
 */
export function changedPaths(headers: IncomingHttpHeaders, payload: Payload): readonly string[] {
  const event = (name: string) => (typeof headers[name] === 'string' ? headers[name] : undefined);
  // Gitea sends the headers of Gogs and GitHub as well, and names no files.
  const gitea = event('x-gitea-event');
  if (gitea !== undefined) return gitea === 'push' ? EVERYTHING : [];
  const pushes: readonly (readonly [string, string])[] = [
    ['x-github-event', 'push'],
    ['x-gitlab-event', 'Push Hook'],
    ['x-gogs-event', 'push'],
    ['x-gitee-event', 'Push Hook'],
  ];
  for (const [header, push] of pushes) {
    const said = event(header);
    if (said !== undefined) return said === push ? pathsOf(payload['commits']) : [];
  }
  const bitbucket = event('x-event-key');
  if (bitbucket !== undefined) {
    return /^(?:repo:push|repo:refs_changed|pullrequest:fulfilled|pr:merged)$/.test(bitbucket)
      ? EVERYTHING
      : [];
  }
  return texts(payload['path']);
}

/** The applications that files belong to: `orders-eu-prod.yml` is of orders-eu-prod, orders-eu or orders; `*` is all. */
export function applicationsOf(paths: readonly string[]): readonly string[] {
  const names = new Set<string>();
  for (const path of paths) {
    const file = path.replaceAll('\\', '/').split('/').at(-1) ?? '';
    let name = file.replace(/\.[^.]*$/, '');
    while (name !== '') {
      names.add(name === 'application' ? '*' : name);
      const hyphen = name.lastIndexOf('-');
      name = hyphen > 0 ? name.slice(0, hyphen) : '';
    }
  }
  return [...names];
}

function pathsOf(commits: unknown): readonly string[] {
  if (!Array.isArray(commits)) return [];
  const paths = commits.flatMap((commit: unknown) => {
    if (typeof commit !== 'object' || commit === null) return [];
    const { added, removed, modified } = commit as Payload;
    return [...texts(added), ...texts(removed), ...texts(modified)];
  });
  return paths.length > MOST_PATHS ? EVERYTHING : paths;
}

function texts(value: unknown): readonly string[] {
  const list: readonly unknown[] = Array.isArray(value) ? value : [value];
  return list.filter((each) => typeof each === 'string' && each.length <= 1_024) as string[];
}
