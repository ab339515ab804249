// Drives the KMIP client of Scality's Arsenal, unmodified, as CloudServer does, by commands on standard input: one JSON
// text a line, each answered by one.
//
//   node arsenal.js CLIENT_MODULE OPTIONS
//
// CLIENT_MODULE is the built module `lib/network/kmip/Client` of an Arsenal, OPTIONS the section `kmip` of config.json
// with names of files for `key`, `cert` and `ca`.
'use strict';

const fs = require('fs');
const readline = require('readline');

const Client = require(process.argv[2]).default;
const options = JSON.parse(process.argv[3]);
for (const name of ['key', 'cert', 'ca']) {
    options.transport.tls[name] = fs.readFileSync(options.transport.tls[name]);
}
const silent = { debug() {}, info() {}, warn() {}, error() {}, trace() {} };
const client = new Client({ kmip: options });

function call(method, ...given) {
    return new Promise((resolve, reject) => {
        client[method](...given, silent, (error, result) => (error ? reject(error) : resolve(result)));
    });
}

const commands = {
    create: ({ bucket }) => call('createBucketKey', bucket),
    destroy: ({ key }) => call('destroyBucketKey', key),
    cipher: async ({ key, data }) =>
        (await call('cipherDataKey', 1, key, Buffer.from(data, 'hex'))).toString('hex'),
    decipher: async ({ key, data }) =>
        (await call('decipherDataKey', 1, key, Buffer.from(data, 'hex'))).toString('hex'),
    // So many data keys at once, each wrapped and unwrapped; how many came back as they were.
    parallel: async ({ key, count }) => {
        const trips = Array.from({ length: count }, async (_, number) => {
            const plain = Buffer.alloc(32, number % 251);
            const sealed = await call('cipherDataKey', 1, key, plain);
            const opened = await call('decipherDataKey', 1, key, sealed);
            return opened.equals(plain);
        });
        return (await Promise.all(trips)).filter(Boolean).length;
    },
    health: () => new Promise((resolve, reject) => {
        client.healthcheck(silent, error => (error ? reject(error) : resolve('ok')));
    }),
    version: () => client.kmip.protocolVersion,
};

readline.createInterface({ input: process.stdin })
    .on('line', async line => {
        const command = JSON.parse(line);
        let answer;
        try {
            answer = { done: await commands[command.do](command) };
        } catch (error) {
            answer = { error: String(error.description || error.message || error) };
        }
        process.stdout.write(`${JSON.stringify(answer)}\n`);
    })
    .on('close', () => process.exit(0));
