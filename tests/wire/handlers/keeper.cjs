// Asks over connections that its agent keeps from event to event.
const http = require('node:http');

const agent = new http.Agent({ keepAlive: true });

exports.handler = async (event) => new Promise((resolve, reject) => {
  http.get(`http://${process.env.ECHO}/${event}`, { agent }, (answer) => {
    let text = '';
    answer.on('data', (piece) => { text += piece; });
    answer.on('end', () => resolve(text));
  }).on('error', reject);
});
