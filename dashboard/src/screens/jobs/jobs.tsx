// All jobs, newest first.

export const Jobs = () => <h1>Jobs</h1>;
