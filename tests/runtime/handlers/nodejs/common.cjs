exports.handler = async () => "cjs";
