// Fails by an exception, like any script with a mistake; the files that Node.js looks for have nothing to do with it.
//   strace -f -e trace=execve,openat,readlink,write,exit_group -o crashing.strace node crashing.js
const settings = undefined;
console.log(settings.name);
