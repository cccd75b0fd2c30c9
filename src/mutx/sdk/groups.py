"""The API as attributes: one class per resource family, one line per operation. A test holds them complete.

The names are those of the command line as well: `client.agents.list()` and `mutx agents list`.
"""

from typing import Generic

from mutx.contract import (
    agents,
    api_keys,
    approvals,
    audit,
    auth,
    delegations,
    faramesh,
    governance,
    guardrails,
    health,
    jobs,
    mcp,
    permissions,
    policies,
    security,
    sso,
    supervision,
    workspaces,
)
from mutx.sdk.group import Call, Group, Stream, T


class AuthApi(Group[T]):
    register = Call(auth.register)
    login = Call(auth.login)
    local_bootstrap = Call(auth.local_bootstrap)
    refresh = Call(auth.refresh)
    logout = Call(auth.logout)
    me = Call(auth.me)
    forgot_password = Call(auth.forgot_password)
    reset_password = Call(auth.reset_password)
    verify_email = Call(auth.verify_email)
    resend_verification = Call(auth.resend_verification)
    jwks = Call(auth.jwks)


class SsoApi(Group[T]):
    list = Call(sso.list_sso_providers)
    start = Call(sso.start_sso)
    finish = Call(sso.finish_sso)
    authorize = Call(sso.authorize_oauth)
    exchange = Call(sso.exchange_oauth)


class WorkspacesApi(Group[T]):
    list = Call(workspaces.list_workspaces)
    get = Call(workspaces.get_workspace)
    update = Call(workspaces.update_workspace)
    members = Call(workspaces.list_members)
    put_member = Call(workspaces.put_member)
    remove_member = Call(workspaces.remove_member)
    create = Call(workspaces.create_workspace)
    leave = Call(workspaces.leave_workspace)
    invitations = Call(workspaces.list_invitations)
    invite = Call(workspaces.create_invitation)
    delete_invitation = Call(workspaces.delete_invitation)
    accept_invitation = Call(workspaces.accept_invitation)


class ApiKeysApi(Group[T]):
    list = Call(api_keys.list_api_keys)
    create = Call(api_keys.create_api_key)
    get = Call(api_keys.get_api_key)
    delete = Call(api_keys.delete_api_key)
    rotate = Call(api_keys.rotate_api_key)


class PermissionsApi(Group[T]):
    list = Call(permissions.list_permissions)
    create = Call(permissions.create_permission)
    delete = Call(permissions.delete_permission)


class AgentsApi(Group[T]):
    list = Call(agents.list_agents)
    create = Call(agents.create_agent)
    register = Call(agents.register_agent)
    heartbeat = Call(agents.send_heartbeat)
    report_metrics = Call(agents.report_metrics)
    log = Call(agents.report_log)
    commands = Call(agents.list_commands)
    acknowledge = Call(agents.acknowledge_command)
    get = Call(agents.get_agent)
    delete = Call(agents.delete_agent)
    config = Call(agents.get_agent_config)
    update_config = Call(agents.update_agent_config)
    status = Call(agents.get_agent_status)
    versions = Call(agents.list_agent_versions)
    metrics = Call(agents.list_agent_metrics)
    logs = Call(agents.list_agent_logs)
    send_command = Call(agents.send_command)


class GovernanceApi(Group[T]):
    decide = Call(governance.decide)
    conclude = Call(governance.conclude)
    resolve = Call(governance.resolve)
    redeem = Call(governance.redeem)
    action = Call(governance.get_action)
    wait = Stream(governance.wait_action)
    decide_batch = Call(governance.decide_batch)
    conclude_batch = Call(governance.conclude_batch)
    resolve_batch = Call(governance.resolve_batch)
    redeem_batch = Call(governance.redeem_batch)


class FarameshApi(Group[T]):
    evaluate = Call(faramesh.evaluate_call)
    gate = Call(faramesh.decide_gate)


class SupervisionApi(Group[T]):
    list = Call(supervision.list_supervised)
    status = Call(supervision.get_supervision_status)
    profiles = Call(supervision.list_launch_profiles)
    start = Call(supervision.start_supervised)
    stop_agent = Call(supervision.stop_supervised_agent)
    kills = Call(supervision.list_agent_kills)
    get = Call(supervision.get_supervised)
    logs = Call(supervision.list_supervised_logs)
    stop = Call(supervision.stop_supervised)
    restart = Call(supervision.restart_supervised)
    kill = Call(supervision.kill_agent)
    revive = Call(supervision.revive_agent)


class PoliciesApi(Group[T]):
    list = Call(policies.list_policies)
    create = Call(policies.create_policy)
    evaluate = Call(policies.evaluate_policies)
    lint = Call(policies.lint_policy)
    backtest = Call(policies.backtest_policy)
    mine = Call(policies.mine_policy)
    stream = Stream(policies.stream_policies)
    bundle = Call(policies.get_policy_bundle)
    snapshot = Call(policies.get_policy_snapshot)
    get = Call(policies.get_policy)
    put = Call(policies.put_policy)
    delete = Call(policies.delete_policy)
    reload = Call(policies.reload_policy)
    versions = Call(policies.list_policy_versions)


class McpApi(Group[T]):
    tools = Call(mcp.list_mcp_tools)
    show = Call(mcp.get_mcp_tool)
    approve = Call(mcp.approve_mcp_tool)
    quarantine = Call(mcp.quarantine_mcp_tool)
    schemas = Call(mcp.export_mcp_schemas)
    observe = Call(mcp.observe_mcp_tools)
    check = Call(mcp.check_mcp_tool)
    caller = Call(mcp.get_mcp_caller)


class ApprovalsApi(Group[T]):
    list = Call(approvals.list_approvals)
    create = Call(approvals.create_approval)
    stream = Stream(approvals.stream_approvals)
    grants = Call(approvals.list_grants)
    revoke_grant = Call(approvals.revoke_grant)
    get = Call(approvals.get_approval)
    wait = Stream(approvals.wait_approval)
    approve = Call(approvals.approve_approval)
    reject = Call(approvals.reject_approval)


class SecurityApi(Group[T]):
    evaluate = Call(security.evaluate_action)
    request_approval = Call(security.request_security_approval)
    approvals = Call(security.list_security_approvals)
    approval = Call(security.get_security_approval)
    approve = Call(security.approve_security_approval)
    deny = Call(security.deny_security_approval)
    export_receipts = Call(security.export_session_receipts)
    session_receipts = Call(security.list_session_receipts)
    receipt = Call(security.get_receipt)
    keys = Call(security.list_public_keys)
    compliance = Call(security.get_compliance)
    metrics = Call(security.get_security_metrics)
    prometheus = Call(security.get_security_prometheus)
    create_session = Call(security.create_security_session)
    sessions = Call(security.list_security_sessions)
    session = Call(security.get_security_session)
    close_session = Call(security.close_security_session)


class DelegationsApi(Group[T]):
    create = Call(delegations.create_delegation)
    list = Call(delegations.list_delegations)
    revoke = Call(delegations.revoke_delegation)


class AuditApi(Group[T]):
    events = Call(audit.list_audit_events)
    export = Call(audit.export_audit)
    stream = Stream(audit.stream_audit_events)
    trace = Call(audit.get_audit_trace)
    report = Call(audit.report_audit_event)
    evidence = Call(audit.export_evidence)
    records = Call(audit.export_records)
    erase = Call(audit.erase_audit_event)


class GuardrailsApi(Group[T]):
    profiles = Call(guardrails.list_guardrail_profiles)
    check = Call(guardrails.check_text)
    check_result = Call(guardrails.check_result)
    findings = Call(guardrails.report_findings)
    restore = Call(guardrails.restore_text)
    canary = Call(guardrails.create_canary)
    observe = Call(guardrails.report_observation)
    behaviour = Call(guardrails.get_agent_behaviour)
    resume = Call(guardrails.resume_agent)


class JobsApi(Group[T]):
    list = Call(jobs.list_jobs)
    get = Call(jobs.get_job)
    retry = Call(jobs.retry_job)


class HealthApi(Group[T]):
    get = Call(health.health)
    ready = Call(health.ready)
    info = Call(health.server_info)
    metrics = Call(health.metrics)


class Api(Generic[T]):
    """Every group over one transport."""

    def __init__(self, transport: T) -> None:
        self.transport: T = transport
        self.auth: AuthApi[T] = AuthApi(transport)
        self.sso: SsoApi[T] = SsoApi(transport)
        self.workspaces: WorkspacesApi[T] = WorkspacesApi(transport)
        self.api_keys: ApiKeysApi[T] = ApiKeysApi(transport)
        self.permissions: PermissionsApi[T] = PermissionsApi(transport)
        self.agents: AgentsApi[T] = AgentsApi(transport)
        self.governance: GovernanceApi[T] = GovernanceApi(transport)
        self.faramesh: FarameshApi[T] = FarameshApi(transport)
        self.supervision: SupervisionApi[T] = SupervisionApi(transport)
        self.policies: PoliciesApi[T] = PoliciesApi(transport)
        self.mcp: McpApi[T] = McpApi(transport)
        self.delegations: DelegationsApi[T] = DelegationsApi(transport)
        self.approvals: ApprovalsApi[T] = ApprovalsApi(transport)
        self.security: SecurityApi[T] = SecurityApi(transport)
        self.audit: AuditApi[T] = AuditApi(transport)
        self.guardrails: GuardrailsApi[T] = GuardrailsApi(transport)
        self.jobs: JobsApi[T] = JobsApi(transport)
        self.health: HealthApi[T] = HealthApi(transport)
