import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { eventually } from '../../support/eventually.ts';
import { isolated } from '../../support/isolated.ts';
import { type Machine, Machines } from '../../support/machines.ts';

isolated(import.meta.url, (place) => {
  describe('an agent that cannot join', () => {
    const machines = new Machines(place);
    let server: Machine;
    let agent: Machine;
    let token: string;

    before(async () => {
      server = machines.add('pi1');
      agent = machines.add('pi2');
      server.startServer('--disable-agent');
      token = await server.nodeToken();
      await eventually('the API', async () => (await server.kubectl('get', '--raw', '/readyz')) === 'ok', 30_000);
    });
    after(() => machines.stop());

    const cases: readonly (readonly [name: string, flags: () => string[], message: RegExp])[] = [
      [
        'with a wrong secret',
        () => ['--server', `https://${server.ip}:6443`, '--token', token.replace(/:[^:]*$/, ':not-the-secret-at-all')],
        /token.*(not|refused|wrong|invalid)/i,
      ],
      [
        'with a token of another cluster',
        () => ['--server', `https://${server.ip}:6443`, '--token', token.replace(/^SKIFF10.{8}/, 'SKIFF1000000000')],
        /(certificate|authority|CA).*(token|differ|match|other)/i,
      ],
      ['with a token that is none', () => ['--server', `https://${server.ip}:6443`, '--token', 'hello'], /token/i],
      ['without a server', () => ['--server', `https://${server.ip}:7777`, '--token', token], /(reach|refused|answer)/i],
      ['with a URL that is none', () => ['--server', 'pi1:6443', '--token', token], /https:\/\//],
      ['without a token', () => ['--server', `https://${server.ip}:6443`], /token/i],
    ];
    for (const [name, flags, message] of cases) {
      it(name, async () => {
        const before = safeLog(agent).length;
        const started = agent.start(['agent', ...agent.flags, ...flags()]);
        await eventually(`a message like ${message}`, () => message.test(safeLog(agent).slice(before)), 20_000);
        await started.stop();
        const said = safeLog(agent).slice(before);
        assert.doesNotMatch(said, /\n\s+at .*\.(ts|cjs|js):\d+/, 'a stack trace is no message for a person');
        assert.doesNotMatch(said, new RegExp(token.split(':').at(-1)!), 'secrets do not belong in logs');
      });
    }
  });
});

function safeLog(machine: Machine): string {
  try {
    return machine.log;
  } catch {
    return '';
  }
}
