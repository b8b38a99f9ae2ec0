import fc from "fast-check";

/** That a property fails is enough: its smallest counter-example takes a hundred times as long. */
fc.configureGlobal({ endOnFailure: true, includeErrorInReport: true });
