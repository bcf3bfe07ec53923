"""HTTP without a framework: requests from API Gateway events, routes, answers, problem documents."""
