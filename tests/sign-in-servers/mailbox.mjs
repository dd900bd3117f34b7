// A mail server that only prints mails: `node mailbox.mjs [USER PASSWORD]`.
//
// Prints its port as one line of JSON, then each mail as another, and runs until its standard input ends. Some recipients are special:
// refused@ is an unknown mailbox, busy@ is refused for the time being twice, then accepted. If the user is missing it is an old server, which
// takes ASCII addresses only.
import { SMTPServer } from 'smtp-server';

const [user, password] = process.argv.slice(2);
let busy = 2;

const server = new SMTPServer({
  authOptional: !user,
  // Tests connect to it on this machine, in plain text.
  allowInsecureAuth: true,
  disabledCommands: ['STARTTLS'],
  hideSMTPUTF8: !user,
  onAuth: (given, _, done) =>
    given.username === user && given.password === password ? done(null, { user }) : done(smtpError(535, 'Wrong user name or password.')),
  onRcptTo({ address }, _, done) {
    if (address.startsWith('refused@')) done(smtpError(550, 'No such mailbox.'));
    else if (address.startsWith('busy@') && busy-- > 0) done(smtpError(451, 'Come back later.'));
    else done();
  },
  onData(stream, session, done) {
    const chunks = [];
    stream.on('data', (chunk) => chunks.push(chunk)).on('end', () => {
      const { mailFrom, rcptTo } = session.envelope;
      console.log(JSON.stringify({ from: mailFrom.address, to: rcptTo.map((to) => to.address), raw: Buffer.concat(chunks).toString('base64') }));
      done();
    });
  },
});
server.on('error', (error) => console.error(String(error)));
const listener = server.listen(0, '127.0.0.1', () => console.log(JSON.stringify({ port: listener.address().port })));
process.stdin.resume().on('end', () => process.exit(0));

const smtpError = (responseCode, message) => Object.assign(new Error(message), { responseCode });
