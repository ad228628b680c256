import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { eventually } from '../../support/eventually.ts';
import { isolated } from '../../support/isolated.ts';
import { type Machine, Machines } from '../../support/machines.ts';
import { type Kubectl, kubectlIn, kubectlPrograms, type Row, testRows } from './kubectl.ts';

const deployment = JSON.stringify({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name: 'web' },
  spec: {
    replicas: 2,
    selector: { matchLabels: { app: 'web' } },
    template: {
      metadata: { labels: { app: 'web' } },
      spec: {
        terminationGracePeriodSeconds: 1,
        containers: [{ name: 'c', image: 'busybox:1.37', command: ['sh', '-c', 'echo start; exec httpd -f -p 8080 -h /etc'] }],
      },
    },
  },
});

const rollouts: readonly Row[] = [
  { args: 'apply -f -', input: deployment, prints: /created/ },
  { args: 'rollout status deployment/web --timeout=30s', prints: /successfully rolled out/ },
  { args: 'scale deployment web --replicas=1', prints: /scaled/ },
  { args: 'set env deployment/web A=b', prints: /updated/ },
  { args: 'rollout status deployment/web --timeout=30s', prints: /successfully rolled out/ },
  { args: 'rollout history deployment/web', prints: /^1\s+<none>\n2\s+<none>$/m },
  { args: 'rollout history deployment/web --revision=2', prints: /A:\s+b/ },
  { args: 'rollout undo deployment/web', prints: /rolled back/ },
  { args: 'rollout status deployment/web --timeout=30s', prints: /successfully rolled out/ },
  { args: 'get deployment web -o jsonpath={.spec.template.spec.containers[0].env}', prints: /^$/ },
  { args: 'rollout undo deployment/web --to-revision=2', prints: /rolled back/ },
  { args: 'rollout pause deployment/web', prints: /paused/ },
  { args: 'rollout restart deployment/web', fails: /paused/ },
  { args: 'rollout resume deployment/web', prints: /resumed/ },
  { args: 'rollout restart deployment/web', prints: /restarted/ },
  { args: 'rollout status deployment/web --timeout=30s', prints: /successfully rolled out/ },
  { args: 'expose deployment web --port=80 --target-port=8080', prints: /exposed/ },
];

const runs: readonly Row[] = [
  {
    args: ['run', 'talker', '--image=busybox:1.37', '--restart=Never', '--', 'sh', '-c', 'for i in 1 2 3; do echo line$i; done'],
  },
  { args: 'wait --for=jsonpath={.status.phase}=Succeeded pod/talker --timeout=20s', prints: /condition met/ },
  { args: 'logs talker', prints: /^line1\nline2\nline3\n$/ },
  { args: 'logs talker --tail=2', prints: /^line2\nline3\n$/ },
  { args: 'logs talker --since=1h --timestamps', prints: /^20\d\d-\S+Z line1\n/ },
  { args: 'logs talker --limit-bytes=5', prints: /^line1$/ },
  { args: 'logs -f talker', prints: /line3/ },
  { args: 'logs -l app=web --prefix --all-containers', prints: /^\[pod\/web-\S+\/c\] start\n$/ },
  { args: 'logs deployment/web', prints: /start/ },
  { args: 'logs nowhere', fails: /pods "nowhere" not found/ },
  { args: 'logs talker -c nope', fails: /container nope is not valid for pod talker/ },
  { args: 'logs talker --previous', fails: /previous terminated container "talker" in pod "talker" not found/ },
  { args: ['run', 'failing', '--image=busybox:1.37', '--', 'sh', '-c', 'echo try; exit 3'] },
  {
    args: ['run', 'once', '--image=busybox:1.37', '--restart=Never', '--rm', '-i', '--quiet', '--', 'sh', '-c', 'cat; echo end'],
    input: 'hello\n',
    prints: /hello\nend\n/,
  },
  { args: 'attach talker', fails: /completed pod/ },
  { args: 'get pods', prints: /talker\s+0\/1\s+Completed\s+0/ },
  { args: 'get pods -o wide --sort-by=.metadata.name', prints: /talker\s.*\s10\.42\.\d+\.\d+\s+pi1/ },
  { args: 'get pods --field-selector=status.phase=Succeeded -o name', prints: /^pod\/talker\n$/ },
  { args: 'get events', prints: /pod\/talker\s+Successfully assigned/ },
  { args: 'events --for pod/talker', prints: /Started/ },
  { args: 'describe pod talker', prints: /Exit Code:\s+0[\s\S]*Started/ },
  { args: 'describe pod -l app=web', prints: /kube-api-access-\w+ \(ro\)/ },
  { args: 'describe node pi1', prints: /Allocated resources/ },
  { args: 'wait --for=condition=Ready pod -l app=web --timeout=20s', prints: /condition met/ },
  { args: 'wait --for=condition=Ready pod/talker --timeout=1s', fails: /timed out/ },
  { args: 'wait --for=create pod/talker --timeout=1s' },
];

const nodes: readonly Row[] = [
  { args: 'taint nodes pi1 k=v:PreferNoSchedule', prints: /tainted/ },
  { args: 'taint nodes pi1 k-', prints: /untainted/ },
  { args: 'cordon pi1', prints: /cordoned/ },
  { args: 'get node pi1', prints: /Ready,SchedulingDisabled/ },
  { args: 'drain pi1 --ignore-daemonsets --force --delete-emptydir-data --timeout=60s', prints: /drained/ },
  { args: 'uncordon pi1', prints: /uncordoned/ },
  { args: 'wait --for=condition=Available deployment/web --timeout=30s', prints: /condition met/ },
];

const deletions: readonly Row[] = [
  { args: 'run sleeper --image=busybox:1.37 -- sleep 1000' },
  { args: 'wait --for=condition=Ready pod/sleeper --timeout=20s' },
  { args: 'delete pod sleeper --now', prints: /deleted/ },
  { args: 'get pod sleeper', fails: /not found/ },
  { args: 'run sleeper --image=busybox:1.37 -- sleep 1000' },
  { args: 'delete pod sleeper --force --grace-period=0', prints: /force deleted/ },
  { args: 'delete pod -l app=web --wait=false', prints: /deleted/ },
  { args: 'delete deployments,services --all', prints: /deployment.apps "web" deleted/ },
  { args: 'wait --for=delete pod -l app=web --timeout=30s' },
];

isolated(import.meta.url, (place) => {
  describe('kubectl and pods', () => {
    const machines = new Machines(place);
    let pi: Machine;
    let programs: Awaited<ReturnType<typeof kubectlPrograms>>;

    before(async () => {
      pi = machines.add('pi1');
      pi.startServer();
      await pi.nodeReady(pi);
      programs = await kubectlPrograms(pi);
    });
    after(async () => {
      if (process.env['SKIFF_TEST_DEBUG']) console.error(pi.log);
      await machines.stop();
    });

    for (const version of ['bundled', 'old'] as const)
      describe(`the ${version} kubectl`, () => {
        let kubectl: Kubectl;
        const run = (...args: string[]): Promise<string> => kubectl.run(args);
        const webPod = (): Promise<string> =>
          eventually('one web pod', async () => {
            const names = await run('get', 'pods', '-l', 'app=web', '-o', 'jsonpath={.items[*].metadata.name}');
            return names.split(' ').length === 1 ? names : undefined;
          });
        before(async () => {
          kubectl = kubectlIn(pi, programs[version], version);
          await run('create', 'namespace', version);
        });

        testRows(() => kubectl, rollouts);
        // A rollout is complete while the pods of the template before still end; `logs -l` would ask them too.
        it('has one web pod when the old ones have ended', async () => {
          await webPod();
        });
        testRows(() => kubectl, runs);

        it('shows the log of the container before', async () => {
          const previous = await eventually('a restart', () => run('logs', 'failing', '--previous'), 20_000);
          assert.equal(previous, 'try\n');
          await eventually('back-off', async () => /CrashLoopBackOff/.test(await run('get', 'pod', 'failing')), 20_000);
          await run('delete', 'pod', 'failing', '--now');
        });

        it('follows a log until the container ends', async () => {
          const script = 'for i in 1 2 3; do echo $i; sleep 0.3; done';
          await run('run', 'slow', '--image=busybox:1.37', '--restart=Never', '--', 'sh', '-c', script);
          await run('wait', '--for=condition=PodReadyToStartContainers', 'pod/slow', '--timeout=20s');
          const log = await eventually('the log', () => run('logs', '-f', 'slow'), 20_000);
          assert.equal(log, '1\n2\n3\n');
        });

        it('executes commands: exit codes, input, terminal', async () => {
          const pod = await webPod();
          for (const code of [0, 1, 7]) {
            const ended = run('exec', pod, '--', 'sh', '-c', `exit ${code}`).then(
              () => 0,
              (error) => error.code,
            );
            assert.equal(await ended, code);
          }
          assert.match(await run('exec', 'deployment/web', '-c', 'c', '--', 'id'), /uid=0/);
          assert.equal(await kubectl.run(['exec', '-i', pod, '--', 'wc', '-c'], { input: 'x'.repeat(200_000) }), '200000\n');
          await assert.rejects(run('exec', pod, '--', 'no-such-program'), /executable file not found/);
          await assert.rejects(run('exec', pod, '-c', 'nope', '--', 'true'), /container nope is not valid for pod/);
          const command = kubectl.commandLine(['exec', '-it', pod, '--', 'sh', '-c', 'sleep 0.5; stty size; tty; exit 4']);
          const script = join(pi.folder, 'in-terminal');
          writeFileSync(script, `stty rows 33 cols 99\n${command}\necho ended with $?\n`);
          const shown = await pi.run('script', ['-qec', `sh ${script}`, '/dev/null']);
          assert.match(shown, /33 99\s+\/dev\/pts\/\d+\s[\s\S]*ended with 4/);
        });

        it('copies files both ways', async () => {
          const pod = await webPod();
          const back = join(pi.folder, `passwd-${version}`);
          await run('cp', '/etc/passwd', `${pod}:/tmp/passwd`);
          await run('cp', `${pod}:/tmp/passwd`, back);
          assert.equal(readFileSync(back, 'utf8'), readFileSync('/etc/passwd', 'utf8'));
        });

        it('forwards a port of a service and of a pod', async () => {
          const pod = await webPod();
          for (const [target, port] of [
            ['service/web', '18080:80'],
            [`pod/${pod}`, '18080:8080'],
          ] as const) {
            const forward = spawn('nsenter', [
              '--net=/run/netns/pi1',
              'sh',
              '-c',
              `exec ${kubectl.commandLine(['port-forward', target, port])}`,
            ]);
            const ended = new Promise((resolve) => forward.once('exit', resolve));
            try {
              const get = (): Promise<string> => pi.run('curl', ['-sf', '-m', '3', 'http://127.0.0.1:18080/hostname']);
              assert.equal(await eventually('an answer', get), `${pod}\n`);
              assert.equal(await get(), `${pod}\n`);
            } finally {
              forward.kill();
              await ended;
            }
          }
        });

        it('attaches to a running container', async () => {
          const script = 'sleep 1; echo attached; read line; echo got $line';
          const args = ['run', 'attached', '--image=busybox:1.37', '-i', '--restart=Never', '--', 'sh', '-c', script];
          assert.match(await kubectl.run(args, { input: 'hello\n' }), /attached\ngot hello/);
        });

        it('debugs: a container beside, a copy, a node', async () => {
          const pod = await webPod();
          const image = '--image=busybox:1.37';
          await run('debug', pod, image, '--target=c', '-c', 'beside', '--', 'sh', '-c', 'ps; sleep 1000');
          const log = await eventually('what it sees', async () => {
            const text = await run('logs', pod, '-c', 'beside');
            return text.includes('sleep 1000') ? text : undefined;
          });
          assert.match(log, /httpd -f -p 8080/, 'it shares the process namespace of its target');
          await run('debug', pod, '--copy-to=copy', image, '-c', 'more', '--', 'sleep', '1000');
          await run('wait', '--for=condition=Ready', 'pod/copy', '--timeout=20s');
          await run('delete', 'pod', 'copy', '--now');
          const made = await run('debug', 'node/pi1', image, '--', 'ls', '/host');
          const debugger_ = /node-debugger-\S+/.exec(made)![0];
          await eventually('the node files', async () => /^etc$/m.test(await run('logs', debugger_)));
          await run('delete', 'pod', debugger_);
        });

        testRows(() => kubectl, nodes);
        testRows(() => kubectl, deletions);
        it('deletes its namespace with all that is in it', async () => {
          await run('delete', 'namespace', version, '--timeout=50s');
          assert.equal(await run('get', 'pods', '-o', 'name'), '');
        });
      });
  });
});
