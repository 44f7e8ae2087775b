console.log("loading"); throw new RangeError("while loading");
